import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Price } from '../../domain/catalog/price.ts';
import type { Invoice } from '../../domain/invoicing/invoice.ts';
import { formatAmount } from '../../domain/money.ts';
import { localDate } from '../../domain/time.ts';
import { type MemoryBook, on } from '../support/memory-book.ts';
import { bookOf, type PageRequest, requestsOfCurl, requestsOfSdk } from '../support/pricing-page.ts';
import { changeItem, changePlan, create, createPaid, payAll, renew } from '../support/subscribe.ts';
import { aCreditGrant } from './examples.ts';

const INDEX = new URL('../../docs/pricing.md', import.meta.url);
const FOLDER = new URL('../../docs/pricing/', import.meta.url);
const JAN = on('2025-01-01');
const FEB = on('2025-02-01');
const NOON = on('2025-01-16');
const ALWAYS = { prorationBehavior: 'always_invoice' } as const;

/** What happens on a page, in order; `show` puts the last invoice under a name onto it. */
type Story = (book: MemoryBook, show: (name: string) => void, requests: PageRequest[]) => void;

const use = (book: MemoryBook, date: string, ...values: number[]): void => {
  for (const value of values) book.used.push({ meterId: 'mtr_1', at: on(date), value });
};

const STORIES: Record<string, Story> = {
  flat: (book, show) => {
    createPaid(book, JAN, ['basic']);
    show('first');
    changeItem(book, NOON, 'si_basic', { priceId: 'pro' }, ALWAYS);
    show('upgrade');
  },
  'per-seat': (book, show) => {
    createPaid(book, JAN, ['seats × 7']);
    show('first');
    changeItem(book, NOON, 'si_seats', { quantity: '9' });
    renew(book);
    show('more seats');
  },
  graduated: (book, show) => {
    createPaid(book, JAN, ['storage × 12', 'archive × 103']);
    show('first');
    changeItem(book, NOON, 'si_storage', { quantity: '9' }, ALWAYS);
    show('fewer');
  },
  volume: (book, show) => {
    createPaid(book, JAN, ['licences × 10']);
    show('ten');
    changeItem(book, NOON, 'si_licences', { quantity: '12' }, ALWAYS);
    show('twelve');
  },
  package: (book, show) => {
    createPaid(book, JAN, ['mailboxes × 11', 'aliases × 19']);
    show('first');
    changeItem(book, NOON, 'si_mailboxes', { quantity: '14' }, ALWAYS);
    show('within');
  },
  stairstep: (book, show) => {
    createPaid(book, JAN, ['contacts × 12']);
    show('first');
    changeItem(book, JAN, 'si_contacts', { quantity: '0' }, { prorationBehavior: 'none' });
    renew(book);
    show('none');
  },
  percentage: (book, show) => {
    createPaid(book, JAN, ['payments', 'limited']);
    use(book, '2025-01-10', 10_000, 20_000, 30_000, 10_000, 10_000);
    renew(book);
    show('first');
  },
  'dynamic-amounts': (book, show) => {
    createPaid(book, JAN, ['models']);
    use(book, '2025-01-10', 125, 90, 1310);
    renew(book);
    show('first');
  },
  hybrid: (book, show) => {
    createPaid(book, JAN, ['platform', 'requests']);
    use(book, '2025-01-20', 12_500);
    renew(book);
    show('renewal');
    payAll(book, FEB);
    use(book, '2025-01-31', 1000);
    use(book, '2025-02-10', 4000);
    renew(book);
    show('late');
  },
  freemium: (book, show) => {
    create(book, JAN, ['members × 3']);
    show('free');
    changeItem(book, on('2025-01-20'), 'si_members', { quantity: '5' });
    show('paid');
  },
  'minimum-and-maximum': (book, show) => {
    createPaid(book, JAN, ['messages']);
    use(book, '2025-01-10', 1000);
    renew(book);
    show('minimum');
    payAll(book, FEB);
    use(book, '2025-02-10', 30_000);
    renew(book);
    show('maximum');
  },
  'prepaid-credits': (book, show, requests) => {
    createPaid(book, JAN, ['fee', 'minutes']);
    const { input } = requests.find(({ path }) => path.endsWith('/credit_grants')) as PageRequest;
    const { name, category, amount, priority } = input;
    const value = amount.monetary.value as number;
    const terms = { name, category, priority, amount: value, remaining: value, effectiveAt: JAN, createdAt: JAN, expiresAt: null } as const;
    book.creditGrants.set('credgr_1', aCreditGrant({ ...terms, id: 'credgr_1', scope: { priceType: 'metered' } }));
    use(book, '2025-01-10', 300);
    renew(book);
    show('first');
  },
  bundles: (book, show) => {
    createPaid(book, JAN, ['suite × 3']);
    show('first');
  },
  'add-ons': (book, show) => {
    createPaid(book, JAN, ['plan']);
    changePlan(book, NOON, { items: [{ do: 'add', item: { id: 'si_backups', priceId: 'backups', quantity: '1', taxRateIds: [] } }] });
    renew(book);
    show('added');
  },
  'mixed-intervals': (book, show) => {
    createPaid(book, JAN, ['seats × 2', 'support', 'audit', 'platform']);
    show('first');
    for (let month = 0; month < 3; month += 1) {
      payAll(book, book.living.currentPeriodStart);
      renew(book);
    }
    show('april');
  },
  'several-currencies': (book, show, requests) => {
    const { input } = requests.find(({ path }) => path === '/v1/subscriptions') as PageRequest;
    create(book, JAN, [`desk × ${input.items[0].quantity}`], { currency: input.currency });
    show('yen');
  },
  'custom-amounts': (book, show) => {
    createPaid(book, JAN, ['desk × 20']);
    changeItem(book, NOON, 'si_desk', { priceId: 'price_data' }, { prorationBehavior: 'none' });
    renew(book);
    show('agreed');
  },
};

/** An invoice as the pages show it: when and why, the lines, what there is to pay, and the sentence with which each line explains itself. */
function drawn(invoice: Invoice, grants: MemoryBook['creditGrants']): string {
  const { lines, currency, total, amountDue, creditDraws = [] } = invoice;
  const money = (amount: number): string => formatAmount(amount, currency);
  const draws = creditDraws.map(({ grantId, amount }) => `| ${grants.get(grantId)?.name} | ${money(-amount)} |`);
  return [
    `| Invoice of ${localDate(invoice.createdAt, 'UTC')} (\`${invoice.billingReason}\`) | Amount |`,
    '| --- | ---: |',
    ...lines.map(({ description, amount }) => `| ${description} | ${money(amount)} |`),
    `| **Total** | **${money(total)}** |`,
    ...draws,
    ...(amountDue === total ? [] : [`| **Due** | **${money(amountDue)}** |`]),
    '',
    lines.map(({ explanation }) => `> ${explanation.sentence}`).join('\n>\n'),
  ].join('\n');
}

const between = (name: string, content: string): string => `<!-- ${name}:start -->\n${content}\n<!-- ${name}:end -->`;

/** The page with its invoices as they are billed now. */
function retold(page: string, story: Story, requests: PageRequest[]): string {
  const book = bookOf(requests);
  const shown = new Map<string, string>();
  story(book, (name) => shown.set(name, drawn(book.lastInvoice, book.creditGrants)), requests);
  expect([...page.matchAll(/<!-- ([\w ]+):start -->/g)].map(([, name]) => name)).toEqual([...shown.keys()]);
  return [...shown].reduce(
    (text, [name, content]) =>
      text.replace(new RegExp(`<!-- ${name}:start -->\\n.*?<!-- ${name}:end -->`, 's'), () => between(name, content)),
    page,
  );
}

function compare(file: URL, page: string, told: string): void {
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, told);
  else expect(page).toBe(told);
}

test.each(Object.keys(STORIES))(
  'docs/pricing/%s.md: curl and the SDK ask for the same, and it is billed as the page shows',
  async (name) => {
    const file = new URL(`${name}.md`, FOLDER);
    const page = readFileSync(file, 'utf8');
    const requests = requestsOfCurl(page);
    expect(await requestsOfSdk(page)).toEqual(requests);
    compare(file, page, retold(page, STORIES[name] as Story, requests));
  },
);

test('docs/pricing.md: who has a version of a price keeps it', () => {
  const page = readFileSync(INDEX, 'utf8');
  const sells =
    '```sh\ncurl -s $API/v1/prices -u $KEY: -d product_data[name]=Desk -d product_data[unit_label]=seat -d lookup_key=desk -d currency=eur -d unit_amount=2000 -d recurring[interval]=month\n```';
  const versions: Story = (book, show) => {
    createPaid(book, JAN, ['desk']);
    book.prices['desk'] = { ...(book.prices['desk'] as Price), active: false };
    changeItem(book, JAN, 'si_desk', { quantity: '3' }, { prorationBehavior: 'none' });
    renew(book);
    show('versions');
  };
  compare(INDEX, page, retold(page, versions, requestsOfCurl(sells)));
});

test('every page is told, and the index leads to each', () => {
  const pages = readdirSync(FOLDER);
  expect(pages.toSorted()).toEqual(
    Object.keys(STORIES)
      .map((name) => `${name}.md`)
      .toSorted(),
  );
  const index = readFileSync(INDEX, 'utf8');
  for (const page of pages) expect(index).toContain(`(pricing/${page})`);
});
