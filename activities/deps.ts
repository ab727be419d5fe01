import type { Database } from '../db/client.ts';
import type { PaymentGatewayRegistry } from '../gateways/payment/registry.ts';
import type { TaxCalculatorRegistry } from '../gateways/tax/registry.ts';
import type { Reach } from './crash-point.ts';

/** The few things an activity says aloud; pino's logger fits. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** All that activities reach for outside the domain; wired once in `workers/main.ts`. */
export interface Deps {
  db: Database;
  log: Log;
  /** By name, as in `PaymentMethod.gateway`. */
  gateways: PaymentGatewayRegistry;
  /** External engines by name, as in `Invoice.taxCalculator`; `manual` needs none. */
  taxCalculators: TaxCalculatorRegistry;
  /** Named points at which a crash test may end the process; does nothing otherwise. */
  reach: Reach;
}
