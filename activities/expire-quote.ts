import { withAccount } from '../db/client.ts';
import { appendEvent } from '../db/events.ts';
import { findQuote, updateQuote } from '../db/quotes.ts';
import { isExpired } from '../domain/quote/quote.ts';
import { nextQuoteStatus } from '../domain/quote/transitions.ts';
import type { Deps } from './deps.ts';
import type { Activities } from './index.ts';

/** Cancels a quote whose time is over, as of the instant at which it was. What is settled already, or has got more time, is left as it is. */
export const expireQuote =
  (deps: Deps): Activities['expireQuote'] =>
  ({ accountId, quoteId, asOf }) =>
    withAccount(deps.db, accountId, async (t) => {
      const quote = await findQuote(t, quoteId, { lock: true });
      if (quote === null || quote.status === 'accepted' || quote.status === 'canceled') return { expiresAt: null };
      if (!isExpired(quote, asOf)) return { expiresAt: quote.expiresAt };
      const { expiresAt } = quote;
      const canceled = { status: nextQuoteStatus(quoteId, quote.status, 'expired'), canceledAt: expiresAt };
      const after = await updateQuote(t, quoteId, canceled);
      const event = { type: 'quote.canceled', objectType: 'quote', objectId: quoteId, data: after, previous: null, occurredAt: expiresAt };
      await appendEvent(t, event, 'workflow');
      return { expiresAt: null };
    });
