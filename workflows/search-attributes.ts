import { defineSearchAttributeKey, type SearchAttributePair, type SearchAttributeUpdatePair } from '@temporalio/common';
import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { hasEnded } from '../domain/subscription/transitions.ts';
import type { Instant } from '../domain/time.ts';
import type { AwaitSchedule, StartDunning, StartQuote } from './messages.ts';
import { agenda } from './subscription/agenda.ts';
import type { ClockSetting, SubscriptionState } from './subscription/state.ts';

/** What operators filter by. Ids and codes only; never encrypted. The server must know every name (`servers/search-attributes.ts`). */
const ACCOUNT = defineSearchAttributeKey('AccountId', 'KEYWORD');
const CUSTOMER = defineSearchAttributeKey('CustomerId', 'KEYWORD');
const PLAN = defineSearchAttributeKey('PlanId', 'KEYWORD');
const STATUS = defineSearchAttributeKey('SubscriptionStatus', 'KEYWORD');
const CURRENCY = defineSearchAttributeKey('Currency', 'KEYWORD');
const DUNNING_STAGE = defineSearchAttributeKey('DunningStage', 'KEYWORD');
const TEST_CLOCK = defineSearchAttributeKey('TestClockId', 'KEYWORD');
const NEXT_BILLING = defineSearchAttributeKey('NextBillingAt', 'DATETIME');

/** `retrying`: a date is set; `waiting`: for a new payment method; `confirming`: an attempt's outcome is looked up; `ended`. */
export type DunningStage = 'retrying' | 'waiting' | 'confirming' | 'ended';

export function subscriptionAttributes(state: SubscriptionState): SearchAttributePair[] {
  const { facts, clock } = state;
  const pairs: SearchAttributePair[] = [
    { key: ACCOUNT, value: state.accountId },
    { key: CUSTOMER, value: state.customerId },
    { key: PLAN, value: facts.planId },
    { key: STATUS, value: facts.status },
    { key: CURRENCY, value: facts.currency },
  ];
  if (state.dunning.length > 0 && !hasEnded(facts.status)) pairs.push({ key: DUNNING_STAGE, value: 'retrying' });
  if (clock.kind === 'frozen') pairs.push({ key: TEST_CLOCK, value: clock.id });
  const renewal = agenda(state).find((step) => step.do === 'renew');
  if (renewal?.do === 'renew' && (facts.cancelAt === null || facts.cancelAt > renewal.asOf)) {
    pairs.push({ key: NEXT_BILLING, value: new Date(renewal.asOf * 1000) });
  }
  return pairs;
}

/** Of a subscription that a schedule has still to create. */
export const waitingAttributes = (
  { accountId, customerId }: AwaitSchedule,
  startsAt: Instant,
  clock: ClockSetting,
): SearchAttributePair[] => [
  { key: ACCOUNT, value: accountId },
  { key: CUSTOMER, value: customerId },
  { key: STATUS, value: 'not_started' },
  ...(clock.kind === 'frozen' ? [{ key: TEST_CLOCK, value: clock.id }] : []),
  { key: NEXT_BILLING, value: new Date(startsAt * 1000) },
];

/** Of what waits for a quote or carries out a price migration. */
export const accountAttributes = ({ accountId, clock }: Pick<StartQuote, 'accountId' | 'clock'>): SearchAttributePair[] => [
  { key: ACCOUNT, value: accountId },
  ...(clock?.kind === 'frozen' ? [{ key: TEST_CLOCK, value: clock.id }] : []),
];

export function dunningAttributes(start: StartDunning, stage: DunningStage): SearchAttributePair[] {
  return [
    { key: ACCOUNT, value: start.accountId },
    { key: CUSTOMER, value: start.customerId },
    { key: PLAN, value: start.planId },
    { key: CURRENCY, value: start.currency },
    { key: DUNNING_STAGE, value: stage },
    ...(start.clock.kind === 'frozen' ? [{ key: TEST_CLOCK, value: start.clock.id }] : []),
  ];
}

/** Tells the server what differs from what it knows; one event, or none. */
export function publishAttributes(wanted: SearchAttributePair[]): void {
  const known = workflowInfo().typedSearchAttributes;
  const changes: SearchAttributeUpdatePair[] = wanted.filter(({ key, value }) => String(known.get(key)) !== String(value));
  const isWanted = (name: string): boolean => wanted.some(({ key }) => key.name === name);
  if (known.get(DUNNING_STAGE) !== undefined && !isWanted(DUNNING_STAGE.name)) changes.push({ key: DUNNING_STAGE, value: null });
  if (known.get(NEXT_BILLING) !== undefined && !isWanted(NEXT_BILLING.name)) changes.push({ key: NEXT_BILLING, value: null });
  if (changes.length > 0) upsertSearchAttributes(changes);
}
