import type { TaxCalculator } from './tax-calculator.ts';

/** The external engines a process was started with, by name, as in `Account.taxCalculator`. */
export type TaxCalculatorRegistry = Readonly<Record<string, TaxCalculator>>;

/** @throws Error where two engines have one name, or one takes the name of the built-in `manual` */
export function taxCalculatorRegistry(calculators: readonly TaxCalculator[]): TaxCalculatorRegistry {
  const registry: Record<string, TaxCalculator> = {};
  for (const calculator of calculators) {
    if (calculator.name === 'manual') throw new Error('manual is the built-in calculator; an external one needs a name of its own');
    if (Object.hasOwn(registry, calculator.name)) throw new Error(`two tax calculators are named ${calculator.name}`);
    registry[calculator.name] = calculator;
  }
  return registry;
}

/** @throws Error where this process was started without that engine: a setting to mend, after which a retry goes through */
export function taxCalculator(registry: TaxCalculatorRegistry, name: string): TaxCalculator {
  const calculator = Object.hasOwn(registry, name) ? registry[name] : undefined;
  if (!calculator)
    throw new Error(`this worker knows no tax calculator named ${name}; it has ${Object.keys(registry).join(', ') || 'none'}`);
  return calculator;
}
