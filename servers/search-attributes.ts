import { setTimeout as wait } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { reasonOf, SetupError } from '../config/setup-error.ts';

/** What operators filter by; every name that `workflows/search-attributes.ts` writes. */
export const SEARCH_ATTRIBUTES = {
  AccountId: 'Keyword',
  CustomerId: 'Keyword',
  PlanId: 'Keyword',
  SubscriptionStatus: 'Keyword',
  Currency: 'Keyword',
  DunningStage: 'Keyword',
  TestClockId: 'Keyword',
  NextBillingAt: 'Datetime',
} as const;

/** Temporal's numbers of the types above (IndexedValueType). */
const TYPE_NUMBER = { Keyword: 2, Datetime: 6 } as const;

type OperatorConnection = Pick<Connection | NativeConnection, 'operatorService'>;

/** Those of `SEARCH_ATTRIBUTES` that the namespace lacks or has with another type, as `Name=Type`. */
export async function missingSearchAttributes(connection: OperatorConnection, namespace: string): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return Object.entries(SEARCH_ATTRIBUTES)
    .filter(([name, type]) => customAttributes?.[name] !== TYPE_NUMBER[type])
    .map(([name, type]) => `${name}=${type}`);
}

/**
 * Registers what is missing and waits until the namespace shows it. Where registering is not allowed (Temporal Cloud), says which to add by hand.
 * @throws SetupError when attributes are still missing afterwards
 */
export async function ensureSearchAttributes(connection: OperatorConnection, namespace: string): Promise<void> {
  let missing = await missingSearchAttributes(connection, namespace);
  if (missing.length === 0) return;
  let refusal = 'they do not become visible';
  const wanted = missing.map((text) => text.split('=')) as [string, keyof typeof TYPE_NUMBER][];
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(wanted.map(([name, type]) => [name, TYPE_NUMBER[type]])),
    });
  } catch (error) {
    // Another process may register them at this moment: only what is visible in the end counts.
    refusal = reasonOf(error);
  }
  for (let attempt = 0; attempt < 50; attempt += 1) {
    missing = await missingSearchAttributes(connection, namespace);
    if (missing.length === 0) return;
    await wait(100);
  }
  throw new SetupError(
    `Temporal namespace ${namespace} lacks the search attributes ${missing.join(', ')} (${refusal}): add them with \`temporal operator search-attribute create\` or in the Cloud console`,
  );
}
