import type { PaymentGateway } from './payment-gateway.ts';

/** The gateways a process was started with, by name, as in `PaymentMethod.gateway`. */
export type PaymentGatewayRegistry = Readonly<Record<string, PaymentGateway>>;

/** @throws Error where two gateways have one name */
export function paymentGatewayRegistry(gateways: readonly PaymentGateway[]): PaymentGatewayRegistry {
  const registry: Record<string, PaymentGateway> = {};
  for (const gateway of gateways) {
    if (Object.hasOwn(registry, gateway.name)) throw new Error(`two payment gateways are named ${gateway.name}`);
    registry[gateway.name] = gateway;
  }
  return registry;
}

/** @throws Error where this process was started without that gateway: a setting to mend, after which a retry goes through */
export function paymentGateway(registry: PaymentGatewayRegistry, name: string): PaymentGateway {
  const gateway = Object.hasOwn(registry, name) ? registry[name] : undefined;
  if (!gateway) throw new Error(`this worker knows no payment gateway named ${name}; it has ${Object.keys(registry).join(', ') || 'none'}`);
  return gateway;
}
