import { applyScheduledChange } from './apply-scheduled-change.ts';
import { beginPause } from './begin-pause.ts';
import { billThreshold } from './bill-threshold.ts';
import { calculateTax } from './calculate-tax.ts';
import { cancelScheduledChange } from './cancel-scheduled-change.ts';
import { cancelSubscription } from './cancel-subscription.ts';
import { changePlan } from './change-plan.ts';
import { collectPayment } from './collect-payment.ts';
import { createSubscription } from './create-subscription.ts';
import type { Deps } from './deps.ts';
import { editInvoice } from './edit-invoice.ts';
import { editSchedule } from './edit-schedule.ts';
import { endDunning } from './end-dunning.ts';
import { endPause } from './end-pause.ts';
import { expireQuote } from './expire-quote.ts';
import { expireSubscription } from './expire-subscription.ts';
import { withFailures } from './failures.ts';
import { finalizeInvoice } from './finalize-invoice.ts';
import { findClockParticipants } from './find-clock-participants.ts';
import { finishClockAdvance } from './finish-clock-advance.ts';
import { giveUpMigration } from './give-up-migration.ts';
import type { Activities } from './index.ts';
import { issueInvoice } from './issue-invoice.ts';
import { loadDunning } from './load-dunning.ts';
import { loadSubscription } from './load-subscription.ts';
import { markInvoiceUncollectible } from './mark-invoice-uncollectible.ts';
import { markOverdue } from './mark-overdue.ts';
import { migrateSubscription } from './migrate-subscription.ts';
import { pauseSubscription } from './pause-subscription.ts';
import { payOutOfBand } from './pay-out-of-band.ts';
import { reactivateSubscription } from './reactivate-subscription.ts';
import { remindOfTrialEnd } from './remind-of-trial-end.ts';
import { resolvePayment } from './resolve-payment.ts';
import { resolvePendingUpdate } from './resolve-pending-update.ts';
import { resumeCollection } from './resume-collection.ts';
import { resumeSubscription } from './resume-subscription.ts';
import { scheduleAttempt } from './schedule-attempt.ts';
import { scheduleCancellation } from './schedule-cancellation.ts';
import { sendInvoice } from './send-invoice.ts';
import { setAutoAdvance } from './set-auto-advance.ts';
import { startSchedule } from './start-schedule.ts';
import { takePriceMigrationPage } from './take-price-migration-page.ts';
import { topUpCredits } from './top-up-credits.ts';
import { undoMigration } from './undo-migration.ts';
import { voidInvoice } from './void-invoice.ts';

/** Every activity, wired; refusals leave as ApplicationFailure with the refusal's code as `type`. */
export function makeActivities(deps: Deps): Activities {
  const guarded =
    <I, R>(run: (input: I) => Promise<R>) =>
    (input: I): Promise<R> =>
      withFailures(() => run(input));
  return {
    createSubscription: guarded(createSubscription(deps)),
    issueInvoice: guarded(issueInvoice(deps)),
    billThreshold: guarded(billThreshold(deps)),
    topUpCredits: guarded(topUpCredits(deps)),
    remindOfTrialEnd: guarded(remindOfTrialEnd(deps)),
    changePlan: guarded(changePlan(deps)),
    resolvePendingUpdate: guarded(resolvePendingUpdate(deps)),
    scheduleCancellation: guarded(scheduleCancellation(deps)),
    applyScheduledChange: guarded(applyScheduledChange(deps)),
    cancelScheduledChange: guarded(cancelScheduledChange(deps)),
    cancelSubscription: guarded(cancelSubscription(deps)),
    pauseSubscription: guarded(pauseSubscription(deps)),
    beginPause: guarded(beginPause(deps)),
    resumeSubscription: guarded(resumeSubscription(deps)),
    endPause: guarded(endPause(deps)),
    resumeCollection: guarded(resumeCollection(deps)),
    reactivateSubscription: guarded(reactivateSubscription(deps)),
    loadSubscription: guarded(loadSubscription(deps)),
    editSchedule: guarded(editSchedule(deps)),
    startSchedule: guarded(startSchedule(deps)),
    expireQuote: guarded(expireQuote(deps)),
    expireSubscription: guarded(expireSubscription(deps)),
    calculateTax: guarded(calculateTax(deps)),
    finalizeInvoice: guarded(finalizeInvoice(deps)),
    collectPayment: guarded(collectPayment(deps)),
    resolvePayment: guarded(resolvePayment(deps)),
    editInvoice: guarded(editInvoice(deps)),
    setAutoAdvance: guarded(setAutoAdvance(deps)),
    voidInvoice: guarded(voidInvoice(deps)),
    markInvoiceUncollectible: guarded(markInvoiceUncollectible(deps)),
    payOutOfBand: guarded(payOutOfBand(deps)),
    sendInvoice: guarded(sendInvoice(deps)),
    markOverdue: guarded(markOverdue(deps)),
    loadDunning: guarded(loadDunning(deps)),
    scheduleAttempt: guarded(scheduleAttempt(deps)),
    endDunning: guarded(endDunning(deps)),
    findClockParticipants: guarded(findClockParticipants(deps)),
    finishClockAdvance: guarded(finishClockAdvance(deps)),
    takePriceMigrationPage: guarded(takePriceMigrationPage(deps)),
    migrateSubscription: guarded(migrateSubscription(deps)),
    undoMigration: guarded(undoMigration(deps)),
    giveUpMigration: guarded(giveUpMigration(deps)),
  };
}
