import type Stripe from 'stripe';
import { formatAmount } from '../../domain/money.ts';
import { instant, localDate } from '../../domain/time.ts';
import { type Character, makeCatalogue } from './cast.ts';
import { type Screen, sentence } from './screen.ts';
import { STORY, STORY_BEGINS, STORY_ENDS, type World } from './story.ts';

const POLL_MS = 25;

/** Lives the year on one test clock and tells it, day by day. Returns who took part. */
export async function live(stripe: Stripe, screen: Screen): Promise<{ clock: string; cast: Character[] }> {
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: instant(STORY_BEGINS), name: 'demo' });
  const world: World = { stripe, clock: clock.id, catalogue: await makeCatalogue(stripe), cast: new Map() };
  let at = instant(STORY_BEGINS);
  const stops = [...STORY, { on: STORY_ENDS, play: null }];
  for (const [index, { on, play }] of stops.entries()) {
    screen.progress(index, stops.length, `${localDate(at, 'UTC')} → ${on.slice(0, 10)}`);
    if (instant(on) > at) {
      at = instant(on);
      await advance(stripe, clock.id, at);
      for (const line of await retell(world)) screen.line(line);
    }
    if (play === null) break;
    const { who, what, amount } = await play(world);
    screen.line(sentence(on.slice(0, 10), who, what, amount));
  }
  screen.clear();
  return { clock: clock.id, cast: [...world.cast.values()] };
}

async function advance(stripe: Stripe, clock: string, to: number): Promise<void> {
  await stripe.testHelpers.testClocks.advance(clock, { frozen_time: to });
  for (;;) {
    const { status } = await stripe.testHelpers.testClocks.retrieve(clock);
    if (status === 'ready') return;
    if (status === 'internal_failure') throw new Error(`the test clock ${clock} cannot advance: look at it in the Temporal UI`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** What happened on the way: everything out of the ordinary by itself, the renewals that went well as one line at the end. */
async function retell({ stripe, clock, cast }: World): Promise<string[]> {
  const names = new Map([...cast.values()].map(({ name, customer }) => [customer, name]));
  const nameOf = (customer: unknown): string => names.get(typeof customer === 'string' ? customer : '') ?? '';
  const lines: string[] = [];
  const renewed = new Map<string, { count: number; total: number }>();
  for (const event of await changesOf(stripe, clock)) {
    const date = localDate(event.created, 'UTC');
    const told = tell(event);
    if (told === 'renewal') {
      const { currency, total } = event.data.object as Stripe.Invoice;
      const { count, total: sum } = renewed.get(currency) ?? { count: 0, total: 0 };
      renewed.set(currency, { count: count + 1, total: sum + total });
    } else if (told !== null) {
      lines.push(sentence(date, nameOf((event.data.object as { customer?: unknown }).customer), told.what, told.amount));
    }
  }
  const sums = [...renewed.entries()].map(([currency, { count, total }]) => `${count} × ${formatAmount(total, currency)}`);
  if (renewed.size > 0) {
    const count = [...renewed.values()].reduce((all, { count: some }) => all + some, 0);
    const totals = [...renewed.entries()].map(([currency, { total }]) => formatAmount(total, currency)).join(', ');
    lines.push(sentence('', '', `· ${count} ${count === 1 ? 'renewal' : 'renewals'} paid`, sums.length > 0 ? totals : ''));
  }
  return lines;
}

function tell(event: Stripe.Event): 'renewal' | { what: string; amount: string } | null {
  switch (event.type) {
    case 'invoice.paid': {
      const invoice = event.data.object;
      const amount = formatAmount(invoice.total, invoice.currency);
      if (invoice.attempt_count > 1) return { what: `pays at last, try ${invoice.attempt_count}`, amount };
      return invoice.billing_reason === 'subscription_cycle' && invoice.total > 0 ? 'renewal' : null;
    }
    case 'invoice.payment_failed': {
      const invoice = event.data.object;
      return { what: `card declined, try ${invoice.attempt_count}`, amount: formatAmount(invoice.amount_remaining, invoice.currency) };
    }
    case 'customer.subscription.trial_will_end':
      return { what: 'is told that the trial ends in three days', amount: '' };
    case 'customer.subscription.deleted': {
      const failed = event.data.object.cancellation_details?.reason === 'payment_failed';
      return { what: failed ? 'is cancelled: every try failed' : 'is cancelled, as asked', amount: '' };
    }
    case 'customer.subscription.updated': {
      const { status } = event.data.object;
      const before = event.data.previous_attributes?.status;
      if (before === 'trialing' && status === 'active') return { what: 'the trial becomes a subscription', amount: '' };
      if (before === 'past_due' && status === 'active') return { what: 'is in good standing again', amount: '' };
      return null;
    }
    default:
      return null;
  }
}

async function changesOf(stripe: Stripe, clock: string): Promise<Stripe.Event[]> {
  const all: Stripe.Event[] = [];
  for (let cursor = ''; ; ) {
    const path = `/v1/test_helpers/test_clocks/${clock}/changes?limit=100${cursor}`;
    const page = (await stripe.rawRequest('GET', path)) as unknown as Stripe.ApiList<Stripe.Event>;
    all.push(...page.data);
    const last = page.data.at(-1);
    if (!page.has_more || last === undefined) return all;
    cursor = `&starting_after=${last.id}`;
  }
}
