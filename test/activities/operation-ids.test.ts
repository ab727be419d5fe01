import { describe, expect, it } from 'vitest';
import { operationIds, requestHash } from '../../activities/operation-ids.ts';
import { isId } from '../../domain/ids.ts';

describe('ids of an operation', () => {
  it('are the same on every try, in order', () => {
    const first = operationIds('acct_1', 'op_1');
    const again = operationIds('acct_1', 'op_1');
    const made = [first('in'), first('il'), first('il')];
    expect([again('in'), again('il'), again('il')]).toEqual(made);
    expect(new Set(made).size).toBe(3);
    for (const id of made) expect(id).toMatch(/^(in|il)_[0-9A-Za-z]{24}$/);
    expect(isId('in', made[0] ?? '')).toBe(true);
  });

  it('differ between operations and between accounts, also where the joined text would be equal', () => {
    const ids = [
      operationIds('acct_1', 'op_1')('in'),
      operationIds('acct_1', 'op_2')('in'),
      operationIds('acct_2', 'op_1')('in'),
      operationIds('acct_1o', 'p_1')('in'),
    ];
    expect(new Set(ids).size).toBe(4);
  });
});

describe('the hash of a request', () => {
  it('does not see key order and absent keys, and sees everything else', () => {
    const hash = requestHash('change-plan', { subscriptionId: 'sub_1', items: [{ do: 'remove', itemId: 'si_1' }] });
    expect(
      requestHash('change-plan', { items: [{ itemId: 'si_1', do: 'remove' }], subscriptionId: 'sub_1', prorationDate: undefined }),
    ).toBe(hash);
    expect(requestHash('cancel-subscription', { subscriptionId: 'sub_1', items: [{ do: 'remove', itemId: 'si_1' }] })).not.toBe(hash);
    expect(requestHash('change-plan', { subscriptionId: 'sub_1', items: [{ do: 'remove', itemId: 'si_2' }] })).not.toBe(hash);
    expect(
      requestHash('change-plan', { subscriptionId: 'sub_1', items: [{ do: 'remove', itemId: 'si_1' }], prorationDate: null }),
    ).not.toBe(hash);
  });
});
