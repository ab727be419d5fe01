import type { SubscriptionState } from './state.ts';

/**
 * The state as this version of the workflow knows it, from whatever version the run before wrote. Pure; each version that was ever
 * released has a fixture in `test/workflows/migrate-state.test.ts`.
 *
 * @throws RangeError for a version from the future, which fails the workflow task and heals when the newer worker is back.
 */
export function migrateState(written: unknown): SubscriptionState {
  const version = (written as { v?: unknown } | null)?.v;
  if (version !== 1) throw new RangeError(`a subscription's state of version ${String(version)} is not known here`);
  const { generation = 1, drafts = [], facts } = written as SubscriptionState;
  return structuredCloneOf({ ...(written as SubscriptionState), generation, drafts, facts: { ...facts, revision: facts.revision ?? 0 } });
}

// The run owns its state and changes it in place; the argument must stay as it was written.
const structuredCloneOf = (state: SubscriptionState): SubscriptionState => JSON.parse(JSON.stringify(state)) as SubscriptionState;
