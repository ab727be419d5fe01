import { defineSearchAttributeKey, type TypedSearchAttributes } from '@temporalio/common';
import { WORKFLOW_TYPES } from '../workflows/messages.ts';
import { subscriptionAttributes } from '../workflows/search-attributes.ts';
import type { SubscriptionState } from '../workflows/subscription/state.ts';
import type { Recovery } from './restart.ts';

/** A running workflow as the server's list has it. */
export interface Run {
  type: string;
  accountId: string;
  /** Workflow id. */
  id: string;
  attributes: TypedSearchAttributes;
}

const ACCOUNT = defineSearchAttributeKey('AccountId', 'KEYWORD');
/** What must be as the books have it; the others never change. */
const COMPARED = ['SubscriptionStatus', 'NextBillingAt'];

/** All workflows that the server lists as running, by id. The list may be some moments old. */
export async function listRunning({ client }: Recovery): Promise<Map<string, Run>> {
  const { subscription, dunning, testClock, quote, priceMigration } = WORKFLOW_TYPES;
  const types = [subscription, dunning, testClock, quote, priceMigration];
  const query = `ExecutionStatus = 'Running' AND WorkflowType IN ('${types.join("', '")}')`;
  const running = new Map<string, Run>();
  for await (const { workflowId: id, type, typedSearchAttributes: attributes } of client.workflow.list({ query, pageSize: 1000 })) {
    running.set(id, { type, accountId: attributes.get(ACCOUNT) ?? '', id, attributes });
  }
  return running;
}

/** Where the attributes of a subscription's workflow differ from those it should have, in words; null where they do not. */
export function wrongAttributes({ attributes }: Pick<Run, 'attributes'>, state: SubscriptionState): string | null {
  const shown = new Map(attributes.getAll().map(({ key, value }) => [key.name, textOf(value)]));
  const wanted = new Map(subscriptionAttributes(state).map(({ key, value }) => [key.name, textOf(value)]));
  const wrong = COMPARED.filter((name) => shown.get(name) !== wanted.get(name));
  return wrong.length === 0
    ? null
    : wrong.map((name) => `${name} is ${shown.get(name) ?? 'unset'}, not ${wanted.get(name) ?? 'unset'}`).join('; ');
}

const textOf = (value: unknown): string => (value instanceof Date ? value.toISOString() : String(value));
