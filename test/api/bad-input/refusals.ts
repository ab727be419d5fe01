import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { errorAnswer } from '../../../api/schemas/errors.ts';
import { type Answer, type Api, seed, startApi } from '../harness.ts';

export type BadValue = [method: string, path: string, body: string, expected: { status?: number; code?: string; param?: string }];

export interface Refusals {
  request: Api['request'];
  /** Stripe-shaped, and a 4xx. */
  expectRefusal(answer: Answer, expected?: BadValue[3]): Promise<void>;
}

/** For one test file: the app with two accounts that own the same, the second's ids ending in `b`. After each test nothing was written and no workflow asked. */
export function refusals(): Refusals {
  let api: Api;
  let before: Record<string, number>;
  beforeAll(async () => {
    api = await startApi();
    await seed(api.db, 'acct_1');
    await seed(api.db, 'acct_2', 'b');
    before = await written();
  });
  afterAll(() => api?.stop());
  afterEach(async () => {
    expect(await written()).toEqual(before);
    for (const [name, command] of Object.entries(api.commands)) if (name !== 'ready') expect(command, name).not.toHaveBeenCalled();
  });

  /** Of what is there; that a subscription has refused something is on its timeline. */
  const written = async () => ({ ...(await api.countRows()), refused_commands: 0 });
  return {
    request: (...what) => api.request(...what),
    expectRefusal: async (answer, { status, ...rest } = {}) => {
      expect(answer.status, JSON.stringify(answer.body)).toBeGreaterThanOrEqual(400);
      expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(500);
      const { error } = errorAnswer.parse(answer.body);
      expect(answer.headers.get('request-id')).toMatch(/^req_[A-Za-z0-9]{24}$/);
      if (status !== undefined) expect(answer.status, error.message).toBe(status);
      expect(error).toMatchObject(rest);
    },
  };
}

/** One test for each of the values: 400 unless told otherwise. */
export function refuses(values: readonly BadValue[]): void {
  const { request, expectRefusal } = refusals();
  it.each(values)('%s %s %s', async (method, path, body, expected) => {
    await expectRefusal(await request(method, path, method === 'GET' ? {} : { body }), {
      ...(expected.status === undefined ? { status: 400 } : {}),
      ...expected,
    });
  });
}

export const LONG = 'x'.repeat(5001);
export const BIG = '999999999999999999999';
/** A one-time `price_data` inside of a parameter. */
export const once = (at: string, product = 'prod_1'): string =>
  Object.entries({ currency: 'eur', product, unit_amount: '1' })
    .map(([name, value]) => `${at === '' ? 'price_data' : `${at}[price_data]`}[${name}]=${value}`)
    .join('&');
export const inline = (at: string, product?: string): string =>
  `${once(at, product)}&${at === '' ? 'price_data' : `${at}[price_data]`}[recurring][interval]=month`;
