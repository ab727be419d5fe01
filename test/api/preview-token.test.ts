import type Stripe from 'stripe';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readPreviewToken, writePreviewToken } from '../../api/preview-token.ts';
import { invoicePreview } from '../../api/schemas/invoice-preview.ts';
import { subscriptionCreate, subscriptionUpdate } from '../../api/schemas/subscriptions.ts';
import { withAccount } from '../../db/client.ts';
import { isoInstant } from '../../domain/time.ts';
import { pauseSubscription, reactivateSubscription, resumeSubscription } from '../support/pause.ts';
import { START } from './examples.ts';
import { type Api, KEYS, refused, seed, startApi } from './harness.ts';
import { type Deciding, withoutTemporal } from './without-temporal.ts';

const DAY = 86_400;
let api: Api;
let now = START;
let workflows: Deciding;
let subscription: Stripe.Subscription;
beforeAll(async () => {
  api = await startApi(() => now);
  await seed(api.db, 'acct_1');
  workflows = withoutTemporal(api, () => now);
});
beforeEach(async () => {
  now = START;
  const customer = await api.stripe.customers.create({
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
  });
  subscription = await api.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: 'price_1', quantity: 2, tax_rates: ['txr_1'] }],
  });
  now = START + 10 * DAY + 12_345;
});
afterAll(() => api.stop());

type Token = { preview_token: string };
type Upcoming = { upcoming: Stripe.ApiList<Stripe.Invoice> };
const preview = async (params: object): Promise<Stripe.Invoice & Token & Upcoming> =>
  (await api.stripe.invoices.createPreview(params as Stripe.InvoiceCreatePreviewParams)) as unknown as Stripe.Invoice & Token & Upcoming;
const item = (): string => subscription.items.data[0]!.id;
const seats = (quantity: number) => ({ items: [{ id: item(), quantity }], proration_behavior: 'always_invoice' as const });
const latest = async (id = subscription.id): Promise<Stripe.Invoice> =>
  (await api.stripe.subscriptions.retrieve(id, { expand: ['latest_invoice'] })).latest_invoice as Stripe.Invoice;
const money = (invoice: Stripe.Invoice): unknown => ({
  lines: invoice.lines.data.map(({ amount, description, period, taxes, quantity }) => ({ amount, description, period, taxes, quantity })),
  sums: [invoice.subtotal, invoice.total, invoice.amount_due, invoice.starting_balance, invoice.ending_balance, invoice.total_taxes],
});

describe('preview_token', () => {
  it('applies an update, a new item, a cancellation and a new subscription as previewed, minutes later', async () => {
    const upgrade = await preview({ subscription: subscription.id, subscription_details: seats(7) });
    now += 600;
    const without = await preview({ subscription: subscription.id, subscription_details: seats(7) });
    expect(without.total).not.toBe(upgrade.total);
    await api.stripe.subscriptions.update(subscription.id, {
      ...seats(7),
      preview_token: upgrade.preview_token,
    } as Stripe.SubscriptionUpdateParams);
    expect(money(await latest())).toEqual(money(upgrade));
    expect((await latest()).created).toBe(now);

    const more = await preview({ subscription: subscription.id, subscription_details: { items: [{ price: 'price_2' }] } });
    now += 600;
    const token = { preview_token: more.preview_token } as object;
    const added = await api.stripe.subscriptionItems.create({ subscription: subscription.id, price: 'price_2', ...token });
    expect(money(await preview({ subscription: subscription.id }))).toEqual(money(more));

    const fewer = await preview({ subscription: subscription.id, subscription_details: { items: [{ id: added.id, quantity: 4 }] } });
    now += 60;
    await api.stripe.subscriptionItems.update(added.id, { quantity: 4, preview_token: fewer.preview_token } as object);
    const none = await preview({ subscription: subscription.id, subscription_details: { items: [{ id: added.id, deleted: true }] } });
    now += 60;
    await api.stripe.subscriptionItems.del(added.id, { preview_token: none.preview_token } as object);
    expect(money(await preview({ subscription: subscription.id }))).toEqual(money(none));

    const end = await preview({ subscription: subscription.id, subscription_details: { cancel_now: true } });
    now += 3599;
    const bye = { prorate: true, invoice_now: true, preview_token: end.preview_token } as Stripe.SubscriptionCancelParams;
    await api.stripe.subscriptions.cancel(subscription.id, bye);
    expect(money(await latest())).toEqual(money(end));

    const customer = (await api.stripe.customers.create({})).id;
    const wish = { items: [{ price: 'price_1', quantity: 3 }], default_tax_rates: ['txr_1'] };
    const first = await preview({ customer, subscription_details: wish });
    const start = now;
    now += 900;
    const made = await api.stripe.subscriptions.create({
      customer,
      ...wish,
      preview_token: first.preview_token,
    } as Stripe.SubscriptionCreateParams);
    expect(made.start_date).toBe(start);
    expect(money(await latest(made.id))).toEqual(money(first));
  });

  it('carries discounts, and is refused without them', async () => {
    const wish = { discounts: [{ coupon: 'SPRING' }] };
    const shown = await preview({ subscription: subscription.id, ...wish, subscription_details: seats(7) });
    expect(shown.total_discount_amounts).toHaveLength(1);
    now += 300;
    const token = { preview_token: shown.preview_token };
    await expect(api.stripe.subscriptions.update(subscription.id, { ...seats(7), ...token } as object)).rejects.toMatchObject({
      code: 'preview_outdated',
    });
    await api.stripe.subscriptions.update(subscription.id, { ...seats(7), ...wish, ...token } as object);
    expect(money(await latest())).toEqual(money(shown));
  });

  it('carries the proration date that was asked for, and an end that was scheduled', async () => {
    const dated = { ...seats(5), proration_date: now - 3600 };
    const upgrade = await preview({ subscription: subscription.id, subscription_details: dated });
    now += 300;
    await api.stripe.subscriptions.update(subscription.id, {
      ...seats(5),
      preview_token: upgrade.preview_token,
    } as Stripe.SubscriptionUpdateParams);
    expect(money(await latest())).toEqual(money(upgrade));
    const end = { cancel_at: START + 100 * DAY };
    const scheduled = await preview({ subscription: subscription.id, subscription_details: end });
    now += 300;
    await api.stripe.subscriptions.update(subscription.id, {
      ...end,
      preview_token: scheduled.preview_token,
    } as Stripe.SubscriptionUpdateParams);
    expect(await api.stripe.subscriptions.retrieve(subscription.id)).toMatchObject(end);
  });

  it('carries what is to happen later, and a pause of collection', async () => {
    const later = { items: [{ id: item(), quantity: 9 }], effective_at: 'period_end' };
    const shown = await preview({ subscription: subscription.id, subscription_details: later });
    expect(shown.lines.data.map(({ quantity }) => quantity)).toEqual([9]);
    now += 300;
    await api.stripe.subscriptions.update(subscription.id, { ...later, preview_token: shown.preview_token } as object);
    expect(money(await preview({ subscription: subscription.id }))).toEqual(money(shown));
    const paused = { pause_collection: { behavior: 'void' as const } };
    const kept = await preview({ subscription: subscription.id, subscription_details: paused });
    now += 300;
    await api.stripe.subscriptions.update(subscription.id, { ...paused, preview_token: kept.preview_token } as object);
    expect(await api.stripe.subscriptions.retrieve(subscription.id)).toMatchObject(paused);
  });

  it('for somebody who is no customer yet applies to whoever they become', async () => {
    const wish = { items: [{ price: 'price_1' }], default_tax_rates: ['txr_1'] };
    const somebody = { address: { country: 'AT' }, tax_exempt: 'reverse' as const };
    const shown = await preview({ customer_details: somebody, subscription_details: wish });
    expect(shown).toMatchObject({ customer: null, customer_address: { country: 'AT' }, total: 1200, total_taxes: [{ amount: 0 }] });
    const customer = (await api.stripe.customers.create(somebody)).id;
    const params = { customer, ...wish, preview_token: shown.preview_token };
    const made = await api.stripe.subscriptions.create(params as Stripe.SubscriptionCreateParams);
    expect(money(await latest(made.id))).toEqual(money(shown));
    const other = (await api.stripe.customers.create({})).id;
    expect(await refused(api.stripe.subscriptions.create({ ...params, customer: other } as Stripe.SubscriptionCreateParams))).toMatchObject(
      {
        statusCode: 400,
        code: 'preview_outdated',
        param: 'preview_token',
        message: /customer's tax settings/,
      },
    );
  });

  const apply = (token: string, params: object = seats(7)) =>
    refused(api.stripe.subscriptions.update(subscription.id, { ...params, preview_token: token } as Stripe.SubscriptionUpdateParams));

  it('refuses rather than differ, in the API before any command, and writes nothing', async () => {
    const { preview_token: token } = await preview({ subscription: subscription.id, subscription_details: seats(7) });
    await withAccount(api.db, 'acct_1', (t) => t.run('update customers set balance = -100 where id = $1', [subscription.customer]));
    const before = await api.countRows();
    api.commands.changePlan.mockClear();
    expect(await apply(token)).toMatchObject({
      statusCode: 400,
      type: 'StripeInvalidRequestError',
      code: 'preview_outdated',
      param: 'preview_token',
      message: "The preview no longer holds: the customer's balance is -100 and was 0. Nothing was changed; make a new preview.",
    });
    expect(api.commands.changePlan).not.toHaveBeenCalled();
    const untold = { idempotency_keys: 0, refused_commands: 0 };
    expect({ ...(await api.countRows()), ...untold }).toEqual({ ...before, ...untold });
  });

  it('refuses inside the deciding transaction what changed after the API looked', async () => {
    const { preview_token: token } = await preview({ subscription: subscription.id, subscription_details: seats(7) });
    const decide = api.commands.changePlan.getMockImplementation()!;
    let before: Record<string, number> = {};
    api.commands.changePlan.mockImplementationOnce(async (...command) => {
      await withAccount(api.db, 'acct_1', (t) => t.run(`update tax_rates set percentage = '20' where id = $1`, ['txr_1']));
      before = await api.countRows();
      return decide(...command);
    });
    try {
      expect(await apply(token)).toMatchObject({ code: 'preview_outdated', message: /the tax rate txr_1 has changed/ });
      // That it was refused is in the timeline.
      expect({ ...(await api.countRows()), refused_commands: 0 }).toEqual({ ...before, refused_commands: 0 });
    } finally {
      await withAccount(api.db, 'acct_1', (t) => t.run(`update tax_rates set percentage = '19' where id = $1`, ['txr_1']));
    }
  });

  it('refuses what was altered, is of another account, too old, of another subscription or another request', async () => {
    const { preview_token: token } = await preview({ subscription: subscription.id, subscription_details: seats(7) });
    const [payload = '', signature = ''] = token.slice(4).split('.');
    const pins = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    const forged = Buffer.from(JSON.stringify({ ...pins, asOf: pins.asOf - DAY })).toString('base64url');
    const foreign = writePreviewToken(pins, 'the secret of another account');
    expect(readPreviewToken(foreign, 'the secret of another account')).toEqual(pins);
    for (const wrong of [`pvt_${forged}.${signature}`, `${payload}.${signature}`, `pvt_${payload}`, 'pvt_.', 'x', `${token}x`, foreign]) {
      expect(await apply(wrong), wrong).toMatchObject({ statusCode: 400, code: 'parameter_invalid', param: 'preview_token' });
    }
    expect(await apply(token, seats(8))).toMatchObject({ code: 'preview_outdated', message: /not the one that was previewed/ });
    expect(await apply(token, { description: 'x' })).toMatchObject({ code: 'preview_outdated' });
    const onItem = api.stripe.subscriptionItems.update(item(), { metadata: { a: 'b' }, preview_token: token } as object);
    expect(await refused(onItem)).toMatchObject({ code: 'preview_outdated' });
    expect(
      await refused(api.stripe.subscriptions.update('sub_1', { ...seats(7), preview_token: token } as Stripe.SubscriptionUpdateParams)),
    ).toMatchObject({ statusCode: 400 });
    now += 3601;
    expect(await apply(token)).toMatchObject({ code: 'preview_outdated', message: /expired/ });
    const other = await api.request('GET', `/v1/subscriptions/${subscription.id}`, { headers: { authorization: `Bearer ${KEYS.acct_2}` } });
    expect(other.status).toBe(404);
  });
});

it('takes whatever a creation or an update takes that decides anything', () => {
  const details = [...Object.keys(invoicePreview.shape), ...Object.keys(invoicePreview.shape.subscription_details.unwrap().shape)];
  const decidesNothing = [
    ...['customer', 'currency', 'collection_method', 'default_payment_method', 'cancellation_details', 'preview_token', 'expand'],
    ...['description', 'external_id', 'metadata'],
  ];
  const given = [...Object.keys(subscriptionCreate.shape), ...Object.keys(subscriptionUpdate.shape)];
  expect(given.filter((name) => !details.includes(name) && !decidesNothing.includes(name))).toEqual([]);
});

describe('periods', () => {
  it('lists the invoices to come in order, each as it will be billed', async () => {
    const details = { ...seats(3), cancel_at: START + 80 * DAY };
    const shown = await preview({ subscription: subscription.id, subscription_details: details, periods: 12 });
    const { data } = shown.upcoming;
    expect(data[0]).toMatchObject({ id: shown.id, billing_reason: 'subscription_update' });
    expect(data.map(({ billing_reason }) => billing_reason)).toEqual(['subscription_update', 'subscription_cycle', 'subscription_cycle']);
    expect(data.at(-1)!.lines.data.map(({ period }) => isoInstant(period.end))).toEqual([isoInstant(START + 80 * DAY)]);
    await api.stripe.subscriptions.update(subscription.id, {
      ...details,
      preview_token: shown.preview_token,
    } as Stripe.SubscriptionUpdateParams);
    for (const expected of data) {
      expect(money(await latest())).toEqual(money(expected));
      now = (await api.stripe.subscriptions.retrieve(subscription.id)).items.data[0]!.current_period_end;
      if (now < START + 80 * DAY) await workflows.renew(subscription.id);
    }
  });
  it('is absent unless asked for, and at most 36', async () => {
    expect(await preview({ subscription: subscription.id })).not.toHaveProperty('upcoming');
    expect((await preview({ subscription: subscription.id, periods: 36 })).upcoming.data).toHaveLength(36);
    for (const periods of [0, 37, 'x']) {
      expect(await refused(preview({ subscription: subscription.id, periods }))).toMatchObject({ statusCode: 400, param: 'periods' });
    }
  });
});

describe('between the boundary and the renewal', () => {
  it('a change is that of the new period, and holds once the renewal is written', async () => {
    now = subscription.items.data[0]!.current_period_end + 30;
    const shown = await preview({ subscription: subscription.id, subscription_details: { ...seats(7), proration_date: now } });
    expect(shown.lines.data.map(({ period }) => period.start)).toEqual([now, now]);
    const due = await preview({ subscription: subscription.id });
    expect(due.lines.data[0]!.period.start).toBe(now - 30);
    const clock = now;
    now -= 30;
    await workflows.renew(subscription.id);
    expect(money(await latest())).toEqual(money(due));
    now = clock + 60;
    await api.stripe.subscriptions.update(subscription.id, {
      ...seats(7),
      preview_token: shown.preview_token,
    } as Stripe.SubscriptionUpdateParams);
    expect(money(await latest())).toEqual(money(shown));
  });
});

describe('a resumption', () => {
  const resume = (params: object) => resumeSubscription(api.stripe, subscription.id, params as Stripe.SubscriptionResumeParams);
  const details = [
    { resume_at: 'now' },
    { resume_at: 'now', billing_cycle_anchor: 'unchanged', proration_behavior: 'always_invoice' },
    { resume_at: 'now', billing_cycle_anchor: 'unchanged', proration_behavior: 'create_prorations' },
  ];

  it.each(details)('is previewed, line by line, and applied minutes later: %o', async ({ resume_at, ...how }) => {
    await pauseSubscription(api.stripe, subscription.id);
    now += 5 * DAY;
    const shown = await preview({ subscription: subscription.id, subscription_details: { resume_at, ...how } });
    now += 600;
    expect(await refused(resume({ billing_cycle_anchor: 'now', ...other(how), preview_token: shown.preview_token }))).toMatchObject({
      code: 'preview_outdated',
    });
    await resume({ ...how, preview_token: shown.preview_token });
    const billed = how.proration_behavior === 'create_prorations' ? await preview({ subscription: subscription.id }) : await latest();
    expect(money(billed)).toEqual(money(shown));
  });
  /** What the preview was not made for. */
  const other = (how: object) => ('billing_cycle_anchor' in how ? {} : { billing_cycle_anchor: 'unchanged' });

  it('of what is not paused, or with what resuming does not take, is refused', async () => {
    const tried = (given: object) =>
      refused(preview({ subscription: subscription.id, subscription_details: { resume_at: 'now', ...given } }));
    expect(await tried({})).toMatchObject({ statusCode: 400 });
    expect(await tried(seats(3))).toMatchObject({ param: 'subscription_details[items]' });
    expect(await tried({ billing_cycle_anchor: now + DAY })).toMatchObject({ param: 'subscription_details[billing_cycle_anchor]' });
    expect(
      await refused(
        preview({ customer: subscription.customer, subscription_details: { items: [{ price: 'price_1' }], resume_at: 'now' } }),
      ),
    ).toMatchObject({
      param: 'subscription_details[resume_at]',
    });
  });
});

describe('a pause', () => {
  const end = () => subscription.items.data[0]!.current_period_end;
  it.each([
    ['now, credit', {}, {}, -1],
    ['now, credit, until a date', { resumes_at: START + 50 * DAY }, {}, -1],
    ['now, extend, until a date', { unused_time: 'extend', resumes_at: START + 50 * DAY }, { unused_time: 'credit' }, 1],
    ['now, extend, for ever', { unused_time: 'extend' }, { unused_time: 'credit' }, 0],
    ['at the end of the period', { pause_at: 'period_end', resumes_at: START + 50 * DAY }, { effective_at: 'now' }, 1],
    ['at the end of the period, for ever', { pause_at: 'period_end' }, { effective_at: 'now' }, 0],
    ['at a date', { pause_at: START + 20 * DAY, proration_behavior: 'always_invoice' }, { proration_behavior: 'none' }, -1],
  ])('is previewed, and applied minutes later as it was shown: %s', async (_, given, wrong, sign) => {
    const { pause_at, ...how } = { pause_at: 'now' as 'now' | 'period_end' | number, ...given };
    const shown = await preview({ subscription: subscription.id, subscription_details: { pause_at, ...how } });
    expect(Math.sign(shown.total)).toBe(sign);
    expect(shown.lines.data.length === 0).toBe(sign === 0);
    now += 600;
    const wish = { effective_at: pause_at, ...how, preview_token: shown.preview_token };
    const other = Object.keys(wrong).length > 0 ? wrong : { unused_time: 'extend' };
    expect(await refused(pauseSubscription(api.stripe, subscription.id, { ...wish, ...other }))).toMatchObject({
      ...{ statusCode: 400, code: 'preview_outdated', param: 'preview_token' },
    });
    expect((await api.stripe.subscriptions.retrieve(subscription.id)).status).toBe('active');
    const paused = await pauseSubscription(api.stripe, subscription.id, wish);
    expect(paused.pause).toMatchObject({ starts_at: pause_at === 'now' ? now - 600 : pause_at === 'period_end' ? end() : pause_at });
    if (pause_at === 'now' && sign < 0) expect(money(await latest())).toEqual(money(shown));
    else if (sign !== 0) expect(money(await preview({ subscription: subscription.id }))).toEqual(money(shown));
  });

  it('is no longer what was shown once the subscription has changed', async () => {
    const shown = await preview({ subscription: subscription.id, subscription_details: { pause_at: 'now' } });
    await api.stripe.subscriptions.update(subscription.id, seats(7) as Stripe.SubscriptionUpdateParams);
    expect(await refused(pauseSubscription(api.stripe, subscription.id, { preview_token: shown.preview_token }))).toMatchObject({
      ...{ statusCode: 400, code: 'preview_outdated', message: expect.stringContaining('changed or renewed since') },
    });
  });

  it('that cannot be, or with what a pause does not take, is refused by the name it has here', async () => {
    const tried = (given: object) => refused(preview({ subscription: subscription.id, subscription_details: given }));
    expect(await tried({ pause_at: now - 1 })).toMatchObject({ param: 'subscription_details[pause_at]' });
    expect(await tried({ pause_at: 'now', resumes_at: now - 1 })).toMatchObject({ param: 'subscription_details[resumes_at]' });
    expect(await tried({ pause_at: 'now', unused_time: 'extend', billing_cycle_anchor: 'unchanged' })).toMatchObject({
      param: 'subscription_details[billing_cycle_anchor]',
    });
    expect(await tried({ pause_at: 'now', ...seats(3) })).toMatchObject({ param: 'subscription_details[items]' });
    expect(await tried({ unused_time: 'extend' })).toMatchObject({ param: 'subscription_details[unused_time]' });
    expect(await tried({ ...seats(3), resumes_at: now + DAY })).toMatchObject({ param: 'subscription_details[resumes_at]' });
    const reduced = { subscription: subscription.id, subscription_details: { pause_at: 'now' }, discounts: [{ coupon: 'spring' }] };
    expect(await refused(preview(reduced))).toMatchObject({ param: 'discounts' });
  });
});

describe('a reactivation', () => {
  const back = { reactivate_at: 'now' };
  it.each([
    ['inside the period that was paid for, which bills nothing before its boundary', 2, false],
    ['inside the period that was given back', 2, true],
    ['after it', 40, false],
  ])('%s is previewed, and applied minutes later as it was shown', async (_, days, prorate) => {
    await api.stripe.subscriptions.cancel(subscription.id, { prorate, invoice_now: prorate });
    now += days * DAY;
    const shown = await preview({ subscription: subscription.id, subscription_details: back, periods: 3 });
    expect(shown.upcoming.data).toHaveLength(prorate || days > 31 ? 4 : 3);
    now += 600;
    const params = { preview_token: shown.preview_token };
    expect(await reactivateSubscription(api.stripe, subscription.id, {}, params)).toMatchObject({ status: 'active' });
    const billed = prorate || days > 31 ? await latest() : await preview({ subscription: subscription.id });
    expect(money(billed)).toEqual(money(shown));
  });

  it('with the token of something else, or an old one, or of what lives, is refused and nothing happens', async () => {
    const other = await preview({ subscription: subscription.id, subscription_details: { cancel_now: true } });
    const alive = { subscription: subscription.id, subscription_details: back };
    expect(await refused(preview(alive))).toMatchObject({ statusCode: 400 });
    await api.stripe.subscriptions.cancel(subscription.id);
    const shown = await preview({ subscription: subscription.id, subscription_details: back });
    expect(await refused(preview({ ...alive, subscription_details: { ...back, ...seats(2) } }))).toMatchObject({
      param: 'subscription_details[items]',
    });
    for (const { preview_token } of [other, shown]) {
      if (preview_token === shown.preview_token) now += 3601;
      expect(await refused(reactivateSubscription(api.stripe, subscription.id, {}, { preview_token }))).toMatchObject({
        code: 'preview_outdated',
      });
    }
    expect((await api.stripe.subscriptions.retrieve(subscription.id)).status).toBe('canceled');
  });
});

describe('invoice_items', () => {
  const items = [
    { amount: 500, currency: 'eur', description: 'Set-up' },
    { unit_amount: -25, quantity: 4, currency: 'eur', description: 'Rebate', tax_rates: ['txr_1'] },
  ];
  it('stand on the preview as they will on the invoice', async () => {
    const shown = await preview({ subscription: subscription.id, invoice_items: items });
    expect(shown.lines.data.map(({ description, amount }) => [description, amount]).slice(0, 2)).toEqual([
      ['Set-up', 500],
      ['Rebate', -100],
    ]);
    const change = await preview({ subscription: subscription.id, invoice_items: items, subscription_details: seats(5) });
    expect(change.lines.data.map(({ amount }) => amount)).toEqual(expect.arrayContaining([500, -100]));
    for (const { unit_amount, ...item } of items) {
      const unit = unit_amount === undefined ? {} : { unit_amount_decimal: String(unit_amount) };
      await api.stripe.invoiceItems.create({
        ...(item as object),
        ...unit,
        customer: String(subscription.customer),
        subscription: subscription.id,
      } as Stripe.InvoiceItemCreateParams);
    }
    expect(money(await preview({ subscription: subscription.id }))).toEqual(money(shown));
    const fresh = await preview({
      customer: subscription.customer,
      invoice_items: items,
      subscription_details: { items: [{ price: 'price_1' }] },
    });
    expect(fresh.lines.data.map(({ amount }) => amount)).toEqual(expect.arrayContaining([500, -100]));
  });
  it.each([
    [[{ amount: 5 }], 'invoice_items[0][currency]'],
    [[items[0], { price: 'price_none' }], 'invoice_items[1][price]'],
    [[{ unit_amount: 5, unit_amount_decimal: '5', currency: 'eur' }], 'invoice_items[0][unit_amount]'],
    [[{ amount: 5, currency: 'usd' }], 'invoice_items[0][currency]'],
    [[{ amount: 5, currency: 'eur', invoiceitem: 'ii_1' }], 'invoice_items[0][invoiceitem]'],
  ])('%o is refused: %s', async (given, param) => {
    expect(await refused(preview({ subscription: subscription.id, invoice_items: given }))).toMatchObject({ statusCode: 400, param });
  });
});
