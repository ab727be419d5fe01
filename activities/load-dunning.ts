import { loadSnapshot } from '../db/billing-snapshot.ts';
import { withAccount } from '../db/client.ts';
import { emptyDecision } from '../domain/decision.ts';
import type { Invoice } from '../domain/invoicing/invoice.ts';
import { hasEnded } from '../domain/subscription/transitions.ts';
import type { Deps } from './deps.ts';
import { decidedFacts, invoiceAfter } from './facts.ts';
import type { Activities, DunningFacts } from './index.ts';

/** Attempts that the gateway has not answered for good; they block every other. */
const UNRESOLVED = new Set(['created', 'processing', 'unknown']);

/** Reads what dunning of one invoice decides on: its policy, the invoice, its attempts so far. Writes nothing. @throws Refusal resource_missing */
export const loadDunning =
  (deps: Deps): Activities['loadDunning'] =>
  ({ accountId, invoiceId }) =>
    withAccount(deps.db, accountId, async (t) => {
      const snapshot = await loadSnapshot(t, { invoiceId, lock: false });
      const last = snapshot.attempts.at(-1);
      return {
        policy: snapshot.account.dunningPolicy,
        invoice: decidedFacts(snapshot, emptyDecision(), invoiceAfter(snapshot, emptyDecision()), {}),
        attemptCount: snapshot.attempts.length,
        lastDeclineCode: last?.status === 'declined' ? last.declineCode : null,
        lastAttemptAt: last ? (last.resolvedAt ?? last.createdAt) : null,
        unresolved: last !== undefined && UNRESOLVED.has(last.status),
        ...(snapshot.members?.some(({ subscription }) => subscription && !hasEnded(subscription.status)) ? { isWanted: true } : {}),
        ...awaitedIn(snapshot.invoice),
      };
    });

function awaitedIn(invoice: Invoice | null): Pick<DunningFacts, 'awaited'> {
  if (invoice === null || invoice.dueDate === null) return {};
  const { dueDate, overdueAt, autoAdvance, subscriptionId, subscriptionIds } = invoice;
  const isOfNone = subscriptionId === null && subscriptionIds === undefined;
  return { awaited: { dueDate, isOverdue: overdueAt !== null, givesUp: autoAdvance && !isOfNone } };
}
