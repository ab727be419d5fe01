import type { TaxBehavior } from '../../domain/catalog/price.ts';
import type { Customer } from '../../domain/customer.ts';
import type { Address, Period } from '../../domain/invoicing/invoice.ts';
import type { TaxAmount } from '../../domain/tax/tax-rate.ts';
import type { Instant } from '../../domain/time.ts';

export interface TaxLine {
  id: string;
  /** Minor units; negative for a credit. For an inclusive line the tax is contained in it. */
  amount: number;
  taxBehavior: TaxBehavior;
  productId: string | null;
  period: Period;
}

export interface TaxCalculationRequest {
  /** Also the request's idempotency key: asking again for the same draft must not be counted twice by the engine. */
  invoiceId: string;
  currency: string;
  sellerAddress: Address | null;
  customerAddress: Address | null;
  taxExempt: Customer['taxExempt'];
  taxIds: readonly { type: string; value: string }[];
  lines: readonly TaxLine[];
  /** The instant whose rates apply. */
  asOf: Instant;
  /** Asked only to know what it would be: the engine records nothing, and what it has recorded under this id before is neither its answer nor changed by it. */
  estimate?: true;
}

/**
 * An external engine that says what tax is due on an invoice. Every adapter passes `test/gateways/tax-contract.ts`. The built-in
 * `manual` one is no adapter: it is part of the domain and runs inside the invoice's transaction.
 */
export interface TaxCalculator {
  /** As in `Account.taxCalculator`. */
  readonly name: string;

  /**
   * The taxes of each line, one list per line in the order of the request; an empty list means none is due. Amounts are rounded to minor units
   * and of the line's sign. The same request gives the same answer.
   * @throws Refusal where the engine says the request itself can never be answered (an address it does not accept)
   * @throws TaxCalculatorUnavailable where it gives no answer; ask again later
   */
  calculate(request: TaxCalculationRequest, options?: { signal?: AbortSignal }): Promise<TaxAmount[][]>;
}

/** The engine gave no answer. Nothing was decided, so asking again is safe. */
export class TaxCalculatorUnavailable extends Error {
  constructor(calculator: string, message: string, options?: ErrorOptions) {
    super(`The tax calculator ${calculator} gives no answer: ${message}`, options);
    this.name = 'TaxCalculatorUnavailable';
  }
}
