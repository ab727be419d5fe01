import { expect, test } from 'vitest';
import { skippingEnvironment } from './environment.ts';
import { DAY, HOUR } from './fake-billing/book.ts';
import { FakeBilling } from './fake-billing.ts';
import { type Life, live } from './life.ts';

/** A server for each story, as in `dunning.test.ts`; every renewal's invoice stays a draft for an hour. */
async function alone(story: (life: Life) => Promise<void>, given: Partial<FakeBilling> = {}): Promise<void> {
  const env = await skippingEnvironment();
  try {
    await live(env, story, Object.assign(new FakeBilling(), { graceSeconds: HOUR }, given));
  } finally {
    await env.teardown();
  }
}

/** Ten minutes into the second period. Returns the draft's id. */
async function openedDraft(life: Life): Promise<string> {
  if (!life.billing.subs.has(life.id)) await life.subscribe();
  await untilBoundary(life, 600);
  const draft = life.billing.invoices.at(-1);
  expect(draft).toMatchObject({ status: 'draft', reason: 'cycle', finalizesAt: (draft?.createdAt ?? 0) + HOUR });
  expect((await life.state()).drafts).toMatchObject([{ invoiceId: draft?.id, finalizesAt: (draft?.createdAt ?? 0) + HOUR }]);
  return draft?.id ?? '';
}

async function untilBoundary(life: Life, seconds: number): Promise<void> {
  const { periodEnd } = (await life.state()).facts;
  await life.pass((periodEnd - (await life.now()) + seconds) * 1000);
}

const draftOf = (life: Life, id: string) => life.billing.invoices.find((invoice) => invoice.id === id);

test(
  'a renewal is a draft for an hour, is finalised to the second, and paid; the next run does it',
  () =>
    alone(async (life) => {
      await life.subscribe();
      const before = (await life.handle.describe()).runId;
      const id = await openedDraft(life);
      const { runId } = await life.handle.describe();
      expect(runId).not.toBe(before);
      expect(await life.details()).toContain(`finalizes ${id}`);
      expect((await life.attributes())['NextBillingAt']).toEqual(new Date((life.billing.periods.at(-1)?.end ?? 0) * 1000));
      await life.pass('51m');
      const { createdAt } = draftOf(life, id) ?? { createdAt: 0 };
      expect(draftOf(life, id)).toMatchObject({ status: 'paid', finalizesAt: null });
      expect(life.billing.asOf[`finalize:${id}`]).toBe(createdAt + HOUR);
      expect((await life.state()).drafts).toEqual([]);
      await untilBoundary(life, 2 * HOUR);
      expect(life.billing.invoices.map(({ status }) => status)).toEqual(['paid', 'paid', 'paid']);
      expect(life.billing.calls.filter((call) => call.startsWith('finalizeInvoice'))).toHaveLength(2);
    }),
  60_000,
);

test(
  'a decline after the hour starts dunning, from then on',
  () =>
    alone(async (life) => {
      const id = await openedDraft(life);
      life.billing.charges = ['declined', 'paid'];
      expect(life.book.status).toBe('active');
      await life.pass('51m');
      expect(life.book.status).toBe('past_due');
      expect((await life.state()).dunning).toEqual([id]);
      await life.pass(3 * DAY * 1000);
      expect(life.book.status).toBe('active');
      expect(draftOf(life, id)).toMatchObject({ status: 'paid' });
    }),
  60_000,
);

test(
  'an external engine is asked once the hour is over',
  () =>
    alone(
      async (life) => {
        await life.subscribe();
        await untilBoundary(life, 600);
        const id = life.billing.invoices.at(-1)?.id ?? '';
        expect((await life.state()).drafts).toMatchObject([{ invoiceId: id, next: 'calculate_tax' }]);
        expect(life.billing.calls).not.toContain(`calculateTax tax:${id}`);
        await life.pass('51m');
        const calls = life.billing.calls.filter((call) => call.includes(id));
        expect(calls).toEqual([`calculateTax tax:${id}`, `finalizeInvoice finalize:${id}`, `collectPayment collect:${id}`]);
        expect((await life.state()).parked).toEqual([]);
      },
      { externalTax: true },
    ),
  60_000,
);

test(
  'a draft whose lines changed after its taxes came is taxed again',
  () =>
    alone(
      async (life) => {
        await life.subscribe();
        await untilBoundary(life, 600);
        const id = life.billing.invoices.at(-1)?.id ?? '';
        // Somebody's line comes between the taxes and the finalising.
        life.billing.afterTax = (invoice) => {
          invoice.taxPending = true;
          life.billing.afterTax = null;
        };
        await life.pass((50 * 60 + 30) * 1000);
        expect((await life.state()).parked).toMatchObject([{ invoiceId: id, step: 'calculate_tax' }]);
        await life.pass('2m');
        expect(draftOf(life, id)).toMatchObject({ status: 'paid' });
        expect((await life.state()).parked).toEqual([]);
      },
      { externalTax: true },
    ),
  60_000,
);

test(
  'auto_advance off: it stays a draft beyond its time and the next renewal; on again, it is finalised and collected at once',
  () =>
    alone(async (life) => {
      const id = await openedDraft(life);
      await life.invoice(id, { do: 'set_auto_advance', autoAdvance: false });
      await life.quiet();
      expect((await life.state()).drafts).toEqual([]);
      await untilBoundary(life, 2 * HOUR);
      expect(draftOf(life, id)).toMatchObject({ status: 'draft', finalizesAt: null });
      expect(life.billing.invoices.at(-1)).toMatchObject({ status: 'paid' });
      await life.invoice(id, { do: 'set_auto_advance', autoAdvance: true });
      await life.pass('1m');
      expect(draftOf(life, id)).toMatchObject({ status: 'paid' });
    }),
  60_000,
);

test(
  'finalised by hand within the hour: collected by the subscription, once, and its timer is gone',
  () =>
    alone(async (life) => {
      const id = await openedDraft(life);
      const { invoice } = await life.invoice(id, { do: 'finalize' });
      expect(invoice).toMatchObject({ status: 'open', next: 'collect' });
      await life.quiet();
      expect((await life.state()).drafts).toEqual([]);
      await life.pass('2h');
      expect(draftOf(life, id)).toMatchObject({ status: 'paid' });
      expect(life.billing.attempts.filter(({ invoiceId }) => invoiceId === id)).toHaveLength(1);
      expect(life.billing.asOf[`finalize:${id}`]).toBeUndefined();
    }),
  60_000,
);

test(
  'cancelled within the hour: the draft is left alone',
  () =>
    alone(async (life) => {
      const id = await openedDraft(life);
      await life.cancel();
      await life.ended();
      await life.pass('2h');
      expect(draftOf(life, id)).toMatchObject({ status: 'draft' });
    }),
  60_000,
);
