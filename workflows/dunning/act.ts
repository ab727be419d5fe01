import type { DunningFacts, Envelope, InvoiceClosure, InvoiceFacts, PaymentResult } from '../../activities/index.ts';
import type { Instant } from '../../domain/time.ts';
import { charge, decide, decideHere, hereFirst, insist } from '../call-activities.ts';
import { again } from '../subscription/act.ts';
import { day, money } from '../write-summary.ts';
import type { Chase } from './chase.ts';

/** One function per thing dunning can have done; operation ids are `dunning:<invoice>:…`. */
const own = ({ start, clock }: Chase, what: string): Envelope & { invoiceId: string } => ({
  accountId: start.accountId,
  invoiceId: start.invoiceId,
  operationId: `dunning:${start.invoiceId}:${what}`,
  asOf: clock.now(),
  actor: 'dunning',
  generation: start.generation,
});

const counted = ({ start }: Chase, count: number): string => `${again(start.generation)}${count}`;

export function loadDunning({ start }: Chase): Promise<DunningFacts> {
  const input = { accountId: start.accountId, invoiceId: start.invoiceId };
  const summary = `looks at ${start.invoiceId}`;
  return hereFirst(
    () => decideHere.loadDunning.executeWithOptions({ summary }, [input]),
    () => insist.loadDunning.executeWithOptions({ summary }, [input]),
  );
}

export const collectPayment = (
  chase: Chase,
  invoice: InvoiceFacts,
  paymentMethodId: string | null,
  words: string,
): Promise<PaymentResult> =>
  charge.collectPayment.executeWithOptions(
    { summary: `charge ${invoice.id} ${money(invoice.amountRemaining, invoice.currency)}, ${words}` },
    [{ ...own(chase, counted(chase, chase.tries)), paymentMethodId }],
  );

export const resolvePayment = (chase: Chase): Promise<PaymentResult> =>
  charge.resolvePayment.executeWithOptions({ summary: `looks the payment of ${chase.start.invoiceId} up` }, [
    own(chase, `resolve:${counted(chase, chase.lookUps)}`),
  ]);

/** Shows customers and operators when the next try is; `null` takes the date away. */
export function scheduleAttempt(chase: Chase, at: Instant | null): Promise<void> {
  const input = { ...own(chase, `schedule:${counted(chase, chase.shows)}`), at };
  const summary = at === null ? 'no further try is planned' : `plans the next try for ${day(at)}`;
  return hereFirst(
    () => decideHere.scheduleAttempt.executeWithOptions({ summary }, [input]),
    () => decide.scheduleAttempt.executeWithOptions({ summary }, [input]),
  );
}

export const markOverdue = (chase: Chase): Promise<InvoiceClosure> =>
  decide.markOverdue.executeWithOptions({ summary: `${chase.start.invoiceId} is overdue` }, [own(chase, 'overdue')]);

export const endDunning = (chase: Chase): Promise<InvoiceClosure> =>
  decide.endDunning.executeWithOptions({ summary: `gives ${chase.start.invoiceId} up` }, [own(chase, 'end')]);
