import type { Activities } from '../../activities/index.ts';
import { FakeBook } from './fake-billing/book.ts';
import { changeVerbs } from './fake-billing/changes.ts';
import { invoiceVerbs } from './fake-billing/invoices.ts';
import { pauseVerbs } from './fake-billing/pauses.ts';
import { paymentVerbs } from './fake-billing/payments.ts';
import { scheduleVerbs } from './fake-billing/schedules.ts';
import { subscriptionVerbs } from './fake-billing/subscriptions.ts';

/** The activities of the worker on a book in memory, a file for each resource in `fake-billing/`. */
export class FakeBilling extends FakeBook {
  get activities(): Activities {
    return {
      findClockParticipants: async () => [],
      finishClockAdvance: async () => {},
      takePriceMigrationPage: async () => ({ do: 'nothing' }),
      migrateSubscription: async () => {},
      undoMigration: async () => {},
      giveUpMigration: async () => {},
      ...subscriptionVerbs(this),
      ...changeVerbs(this),
      ...pauseVerbs(this),
      ...scheduleVerbs(this),
      ...invoiceVerbs(this),
      ...paymentVerbs(this),
    };
  }
}
