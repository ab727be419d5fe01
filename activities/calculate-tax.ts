import { loadSnapshot } from '../db/billing-snapshot.ts';
import { withAccount } from '../db/client.ts';
import { findOperation } from '../db/operations.ts';
import { readPrices } from '../db/read-by-ids.ts';
import type { BillingSnapshot } from '../domain/billing-snapshot.ts';
import { netOf } from '../domain/discounts/apply-discounts.ts';
import { Refusal } from '../domain/errors.ts';
import type { Invoice } from '../domain/invoicing/invoice.ts';
import { decideTaxes } from '../domain/invoicing/record-taxes.ts';
import type { TaxAmount } from '../domain/tax/tax-rate.ts';
import { taxCalculator } from '../gateways/tax/registry.ts';
import type { TaxCalculationRequest } from '../gateways/tax/tax-calculator.ts';
import { taxRequestOf } from '../gateways/tax/tax-request.ts';
import type { Deps } from './deps.ts';
import { decidedFacts, invoiceAfter } from './facts.ts';
import type { Activities } from './index.ts';
import { parametersOf, performOperation } from './perform-operation.ts';

/** Below the activity's start-to-close, so that the operator reads what the engine did and not that an activity timed out. */
const DEADLINE_MS = 15_000;

/**
 * Asks the invoice's external tax engine and stores its answer on the draft. No transaction is open while it is asked. Repeating the operation gives the first answer and does
 * not ask again.
 * @throws TaxCalculatorUnavailable while the engine is away (Temporal retries, in sight of the operator); Refusal invoice_not_draft, and what the engine refuses
 */
export const calculateTax =
  (deps: Deps): Activities['calculateTax'] =>
  async (input) => {
    const command = parametersOf(input);
    const asked = await withAccount(deps.db, input.accountId, async (t) => {
      if (await findOperation(t, input.operationId)) return null;
      const snapshot = await loadSnapshot(t, { invoiceId: command.invoiceId, lock: false });
      const draft = draftOf(snapshot);
      // A credit may be about a price that the subscription has left.
      const prices = await readPrices(
        t,
        draft.lines.flatMap((line) => line.priceId ?? []),
      );
      return { draft, request: taxRequestOf(snapshot, draft, prices, input.asOf) };
    });
    const taxes = asked && (await ask(deps, asked.draft.taxCalculator, asked.request));

    return performOperation(deps, input, {
      verb: 'calculate-tax',
      parameters: command,
      query: { invoiceId: command.invoiceId, lock: true },
      decide: (snapshot, context) => {
        const now = draftOf(snapshot);
        if (!taxes || JSON.stringify(taxed(now)) !== JSON.stringify(taxed(asked.draft)))
          throw new Error('the draft changed while its taxes were calculated; they must be asked for again');
        return decideTaxes(snapshot, { taxes }, context);
      },
      answer: (snapshot, decision, numbers) => decidedFacts(snapshot, decision, invoiceAfter(snapshot, decision), numbers),
    });
  };

function ask(deps: Deps, name: string, request: TaxCalculationRequest): Promise<TaxAmount[][]> {
  return taxCalculator(deps.taxCalculators, name).calculate(request, { signal: AbortSignal.timeout(DEADLINE_MS) });
}

function draftOf({ invoice }: BillingSnapshot): Invoice {
  if (invoice?.status !== 'draft')
    throw new Refusal('invoice_not_draft', `Taxes belong on a draft; this invoice is ${invoice?.status ?? 'missing'}.`);
  return invoice;
}

/** The part of a draft that taxes depend on. */
const taxed = ({ lines }: Invoice): [string, number][] => lines.map((line) => [line.id, netOf(line)]);
