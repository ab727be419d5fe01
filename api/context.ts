import type { Logger } from 'pino';
import type { Database } from '../db/client.ts';
import type { Account } from '../domain/account.ts';
import type { IdSource } from '../domain/decision.ts';
import type { TestClock } from '../domain/test-clock.ts';
import type { Instant } from '../domain/time.ts';
import type { PaymentGateway } from '../gateways/payment/payment-gateway.ts';
import type { TaxCalculatorRegistry } from '../gateways/tax/registry.ts';
import type { Commands } from './commands.ts';
import type { MeterEventQueue } from './meter-event-queue.ts';
import type { TemporalUi } from './presenters/timeline.ts';
import type { UsageReport } from './report-usage.ts';

/** What the API is made of; wired by `main.ts`, and by tests. */
export interface ApiDeps {
  db: Database;
  commands: Commands;
  /** By name, as in `PaymentMethod.gateway`. */
  gateways: Readonly<Record<string, PaymentGateway>>;
  /** External engines by name, as in `Account.taxCalculator`; asked only what would be. */
  taxCalculators: TaxCalculatorRegistry;
  /** How long a request may wait for somebody else, in milliseconds. */
  deadlineMs: number;
  log: Logger;
  /** The wall clock, in unix seconds: the only place where the API asks what time it is. */
  now: () => Instant;
  /** For links to workflow runs; null: none are given. */
  temporalUi: TemporalUi | null;
  recordMeterEvents: MeterEventQueue;
  reportUsage: UsageReport;
}

/** Everything one authenticated request may use. */
export interface RequestContext extends ApiDeps {
  account: Account;
  /** Signs and checks preview tokens. */
  previewSecret: string;
  /** For operations and events: `api_key:<beginning of its hash>`. */
  actor: string;
  requestId: string;
  operationId: string;
  newId: IdSource;
  /** Whether this request made the id. */
  isNew(id: string): boolean;
  /** The test clock of the customer that the request is about; then `now` is its frozen time. */
  testClock?: TestClock;
}
