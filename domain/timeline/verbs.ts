export interface VerbWords {
  asked: string;
  done: string;
}

/** What each verb is when it is asked for (an infinitive, as in "asked to …") and when it was done by the engine. */
export const VERBS = {
  'create-subscription': { asked: 'create the subscription', done: 'The subscription was created' },
  'change-plan': { asked: 'change the subscription', done: 'A change that was planned took effect' },
  'remind-of-trial-end': { asked: 'tell that the trial will end', done: 'The customer was told that the trial will end' },
  'schedule-cancellation': { asked: 'set when the subscription ends', done: 'The end of the subscription was set' },
  'apply-scheduled-change': { asked: 'carry out a scheduled change', done: 'A scheduled change came due' },
  'cancel-scheduled-change': { asked: 'cancel a scheduled change', done: 'A scheduled change was cancelled' },
  'cancel-subscription': { asked: 'cancel the subscription now', done: 'The subscription was cancelled' },
  'pause-subscription': { asked: 'pause the subscription', done: 'A pause was asked for' },
  'begin-pause': { asked: 'begin the pause', done: 'The pause that was planned began' },
  'resume-subscription': { asked: 'resume the subscription', done: 'The subscription was resumed' },
  'end-pause': { asked: 'end the pause', done: 'The pause ended at its date' },
  'resume-collection': { asked: 'collect invoices again', done: 'Invoices are collected again' },
  'reactivate-subscription': { asked: 'bring the subscription back', done: 'The subscription was brought back' },
  'issue-invoice': { asked: 'bill the next period', done: 'The period was billed' },
  'bill-threshold': { asked: 'bill what is used', done: 'Usage was billed before the end of the period' },
  'top-up-credits': { asked: 'buy credit', done: 'Credit is bought, as little is left' },
  'expire-subscription': { asked: 'let the subscription expire', done: 'The subscription expired, its first invoice was not paid' },
  'resolve-pending-update': { asked: 'settle the pending change', done: 'The pending change was settled' },
  'calculate-tax': { asked: 'calculate the taxes', done: 'The taxes were calculated' },
  'finalize-invoice': { asked: 'finalise the invoice', done: 'The invoice was finalised' },
  'edit-invoice': { asked: 'change the draft', done: 'The draft was changed' },
  'edit-invoice-item': { asked: 'change what is billed next', done: 'What is billed next was changed' },
  'set-auto-advance': { asked: 'let the draft wait or finalise itself', done: 'Whether the draft finalises itself was set' },
  'void-invoice': { asked: 'void the invoice', done: 'The invoice was voided' },
  'mark-invoice-uncollectible': { asked: 'write the invoice off', done: 'The invoice was written off' },
  'pay-out-of-band': { asked: 'mark the invoice as paid another way', done: 'The invoice was marked as paid another way' },
  'send-invoice': { asked: 'send the invoice', done: 'The invoice was sent' },
  'mark-overdue': { asked: 'tell that the invoice is overdue', done: 'The due date of the invoice came' },
  'schedule-attempt': { asked: 'plan the next payment attempt', done: 'The next payment attempt was planned' },
  'end-dunning': { asked: 'give the invoice up', done: 'Dunning gave the invoice up' },
  'start-payment': { asked: 'collect the invoice', done: 'The invoice is being collected' },
  'collect-payment': { asked: 'collect the invoice', done: 'The invoice was collected' },
  'resolve-payment': { asked: 'look the payment up', done: 'The payment was looked up' },
  'clear-payment': { asked: 'clear an open attempt', done: 'An open attempt was cleared' },
  'edit-schedule': { asked: 'change the schedule', done: 'The schedule was changed' },
  'start-schedule': { asked: 'start the schedule', done: 'The schedule began' },
  'discount-customer': { asked: "change the customer's discount", done: "The customer's discount was changed" },
} as const satisfies Record<string, VerbWords>;

/** What an operation can be, as its activity is named: one without words here does not compile. */
export type Verb = keyof typeof VERBS;
