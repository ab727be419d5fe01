import type { BillingSnapshot } from '../domain/billing-snapshot.ts';
import type { Customer } from '../domain/customer.ts';
import { Refusal } from '../domain/errors.ts';
import type { BilledPeriod } from '../domain/subscription/subscription.ts';
import type { Instant } from '../domain/time.ts';
import { ACCOUNTS } from './accounts.ts';
import type { AccountTransaction } from './client.ts';
import { withMembers } from './consolidation.ts';
import { COUPONS } from './coupons.ts';
import { CREDIT_TOP_UPS } from './credit-top-ups.ts';
import { CREDIT_GRANTS } from './credits.ts';
import { CUSTOMERS } from './customers.ts';
import { INVOICE_ITEMS } from './invoice-items.ts';
import { INVOICE_JSON, invoiceFromRow } from './invoices.ts';
import { LATE_MAY_COME, loadMeteredUsage } from './load-metered-usage.ts';
import { PAYMENT_ATTEMPTS } from './payment-attempts.ts';
import { PAYMENT_METHODS } from './payment-methods.ts';
import { PRICES } from './prices.ts';
import { PRODUCTS } from './products.ts';
import { PROMOTION_CODES } from './promotion-codes.ts';
import { SCHEDULES } from './schedules.ts';
import { SUBSCRIPTION_JSON, subscriptionFromRow } from './subscriptions.ts';
import { fromRow, type Row, type TableShape } from './table.ts';
import { TAX_RATES } from './tax-rates.ts';

/** What a snapshot is about: at least one of customer, subscription, invoice. The lists name what a command brings in beyond what these refer to. */
export interface SnapshotQuery {
  /** Takes the place of the customer where the query names none: a preview for somebody who is none yet. */
  standIn?: Customer | undefined;
  customerId?: string | undefined;
  subscriptionId?: string | undefined;
  invoiceId?: string | undefined;
  invoiceItemId?: string | undefined;
  scheduleId?: string | undefined;
  priceIds?: readonly string[] | undefined;
  taxRateIds?: readonly string[] | undefined;
  paymentMethodIds?: readonly string[] | undefined;
  couponIds?: readonly string[] | undefined;
  promotionCodeIds?: readonly string[] | undefined;
  /** Whether to look for trials that the customer had. */
  trialHistory?: boolean | undefined;
  /** The instant of the decision: what has been used until then is read with it. */
  asOf?: Instant | undefined;
  /** Whether it renews, and may share its invoice with the customer's other subscriptions. */
  sharing?: boolean;
  /** Hold the customer's row until the transaction ends: decisions about one customer come one after another; and the coupons and codes that are asked for. */
  lock: boolean;
}

export const BILLED_PERIODS: TableShape<BilledPeriod> = {
  table: 'billed_periods',
  keys: [
    'id',
    'subscriptionItemId',
    'priceId',
    'quantity',
    'start',
    'end',
    'originalStart',
    'originalEnd',
    'cycleStart',
    'cycleEnd',
    'amount',
    'credited',
    'taxRateIds',
    'component',
    'invoiceId',
    'invoiceLineId',
    'invoiceItemId',
  ],
  instants: ['start', 'end', 'originalStart', 'originalEnd', 'cycleStart', 'cycleEnd'],
};

// Read is one statement, so one moment of the database. The lock is a statement before it on purpose: under READ COMMITTED a statement that
// waits for a row still sees the rest of the world as it was before the wait.
// Under row-level security an index is used only for conditions that cannot leak, and Postgres takes coalesce() and IN (select) for ones that could: hence the
// scalar sub-selects and arrays, whose values are known before a row is looked at (test/db/plans.test.ts).
const LOCK = `
  select id from customers where account_id = $1 and id = (select coalesce(
    $2::text, (select customer_id from subscriptions where account_id = $1 and id = $3::text),
    (select customer_id from invoices where account_id = $1 and id = $4::text))) for no key update`;

// What is to be redeemed is held too, in the order of ids, so that what is left of it is true.
const LOCK_COUPONS = `
  with codes as (select id, coupon_id from promotion_codes where account_id = $1 and id = any($3::text[]) order by id for no key update)
  select id from coupons where account_id = $1 and id = any(array(select unnest($2::text[]) union select coupon_id from codes)) order by id for no key update`;

const READ = `
with
  about as (select * from invoices where account_id = $1 and id = $4::text),
  sub as (select * from subscriptions where account_id = $1 and id = (select coalesce($3::text, (select subscription_id from about)))),
  cus as (select * from customers where account_id = $1
    and id = (select coalesce($2::text, (select customer_id from sub), (select customer_id from about)))),
  items as (select * from subscription_items where account_id = $1 and subscription_id = (select id from sub)),
  billed as (select * from billed_periods where account_id = $1 and subscription_item_id = any(array(select id from items))
    and "end" > (select current_period_start from sub)),
  pending as (select * from invoice_items where account_id = $1 and subscription_id = (select id from sub) and invoice_id is null and not removed),
  loose as (select * from invoice_items where account_id = $1 and customer_id = (select id from cus) and subscription_id is null and invoice_id is null and not removed),
  unsettled as (select * from invoices where account_id = $1 and subscription_id = (select id from sub) and status in ('draft', 'open')
    union all select * from invoices where account_id = $1 and customer_id = (select id from cus) and consolidation_key is not null and status in ('draft', 'open')
      and subscription_ids @> array[(select id from sub)]),
  sched as (select * from subscription_schedules where account_id = $1 and id = (select coalesce($12::text, (select schedule_id from sub)))),
  phases as (select phase from sched, jsonb_array_elements(phases) phase),
  phase_items as (select item from phases, jsonb_array_elements((phase -> 'items') || coalesce(phase -> 'addInvoiceItems', '[]')) item),
  coming as (select item from sub, jsonb_array_elements(pending_update -> 'next' -> 'items') item),
  scheduled as (select kept -> 'change' as change from sub, jsonb_array_elements(scheduled_changes) kept),
  wanted as (select coalesce(item -> 'item', item) as item from scheduled, jsonb_array_elements(change -> 'items') item),
  price_rows as (select * from prices where account_id = $1 and id = any(array(
    select unnest($5::text[]) union select price_id from items where not removed union select price_id from billed
    union select price_id from usage_periods where account_id = $1 and subscription_id = (select id from sub) and ${LATE_MAY_COME}
    union select line ->> 'priceId' from pending union select line ->> 'priceId' from loose union select item ->> 'priceId' from coming union select item ->> 'priceId' from wanted
    union select item ->> 'priceId' from phase_items
    union select price_id from invoice_lines where account_id = $1 and invoice_id = (select id from about)))),
  components as (select part from price_rows, jsonb_array_elements(bundle) part),
  rates as (select * from tax_rates where account_id = $1 and id = any(array(
    select unnest($6::text[]) union select unnest(default_tax_rate_ids) from accounts where id = $1
    union select unnest(default_tax_rate_ids) from cus union select unnest(default_tax_rate_ids) from sub
    union select unnest(tax_rate_ids) from items union select unnest(tax_rate_ids) from billed union select unnest(tax_rate_ids) from pending union select unnest(tax_rate_ids) from loose
    union select jsonb_array_elements_text(item -> 'taxRateIds') from coming union select jsonb_array_elements_text(item -> 'taxRateIds') from wanted
    union select jsonb_array_elements_text(change -> 'defaultTaxRateIds') from scheduled
    union select jsonb_array_elements_text(item -> 'taxRateIds') from phase_items
    union select jsonb_array_elements_text(case when jsonb_typeof(phase -> 'defaultTaxRateIds') = 'array' then phase -> 'defaultTaxRateIds' else '[]' end) from phases
    union select jsonb_array_elements_text(coalesce(part -> 'taxRateIds', '[]')) from components
    union select unnest(default_tax_rate_ids) from unsettled union select unnest(default_tax_rate_ids) from about
    union select tax ->> 'taxRateId' from invoice_lines l, jsonb_array_elements(l.taxes) tax
      where l.account_id = $1 and l.invoice_id = any(array(select id from unsettled union select id from about))))),
  codes as (select * from promotion_codes where account_id = $1 and id = any(array(
    select unnest($10::text[]) union select wish #>> '{}' from scheduled, jsonb_path_query(change, '$.**.promotionCodeId') wish
    union select wish #>> '{}' from phases, jsonb_path_query(phase, '$.**.promotionCodeId') wish))),
  top_ups as (select * from credit_top_ups where account_id = $1 and customer_id = (select id from cus)),
  methods as (select m.*, case m.id when (select default_payment_method_id from sub) then 1 when (select default_payment_method_id from cus) then 2 else 3 end as rank
    from payment_methods m where m.account_id = $1 and m.customer_id = (select id from cus) and m.id = any(array(
      select unnest($7::text[]) union select default_payment_method_id from sub union select default_payment_method_id from cus
      union select change ->> 'defaultPaymentMethodId' from scheduled
      union select payment_method_id from top_ups where pending_invoice_id = (select id from about)
      union select phase ->> 'defaultPaymentMethodId' from phases union select settings ->> 'defaultPaymentMethodId' from sched)))
select
  (select to_jsonb(a) from accounts a where id = $1) as account,
  (select to_jsonb(cus) from cus) as customer,
  (select ${SUBSCRIPTION_JSON} from sub kept) as subscription,
  (select to_jsonb(sched) from sched) as schedule,
  (select coalesce(jsonb_agg(to_jsonb(p)), '[]') from price_rows p) as prices,
  (select coalesce(jsonb_agg(to_jsonb(p)), '[]') from products p where p.account_id = $1 and p.id = any(array(select product_id from price_rows
    union select part ->> 'productId' from components))) as products,
  (select coalesce(jsonb_agg(to_jsonb(r)), '[]') from rates r) as tax_rates,
  (select coalesce(jsonb_agg(to_jsonb(c)), '[]') from codes c) as codes,
  (select coalesce(jsonb_agg(to_jsonb(c)), '[]') from coupons c where c.account_id = $1 and c.id = any(array(
    select unnest($9::text[]) union select coupon_id from codes union select wish #>> '{}' from scheduled, jsonb_path_query(change, '$.**.couponId') wish
    union select wish #>> '{}' from phases, jsonb_path_query(phase, '$.**.couponId') wish))) as coupons,
  case when exists (select from codes) then exists (
    select from invoices i where i.account_id = $1 and i.customer_id = (select id from cus) and i.amount_paid > 0) else false end as has_paid_before,
  case when $11::boolean then (select coalesce(jsonb_agg(distinct l.product_id), '[]') from invoices i
    join invoice_lines l on l.account_id = i.account_id and l.invoice_id = i.id
    where i.account_id = $1 and i.customer_id = (select id from cus) and l.explanation ->> 'rule' = 'trial') else '[]' end as trialed,
  (select coalesce(jsonb_agg(to_jsonb(b) order by b.subscription_item_id, b."start", b.id), '[]') from billed b) as billed,
  (select coalesce(jsonb_agg(to_jsonb(p) order by p.date, p.position), '[]') from pending p) as pending,
  (select coalesce(jsonb_agg(to_jsonb(p) order by p.date, p.position), '[]') from loose p) as loose,
  (select to_jsonb(p) from invoice_items p where p.account_id = $1 and p.id = $8::text and not p.removed) as item,
  (select coalesce(jsonb_agg(${INVOICE_JSON} order by kept.created_at, kept.position), '[]') from unsettled kept) as unsettled,
  (select ${INVOICE_JSON} from about kept) as invoice,
  (select coalesce(jsonb_agg(to_jsonb(g)), '[]') from credit_grants g where g.account_id = $1 and g.customer_id = (select id from cus) and (g.remaining > 0 or g.id = any(array(
    select draw ->> 'grantId' from (select credit_draws from unsettled union all select credit_draws from about) drawn, jsonb_array_elements(drawn.credit_draws) draw)))) as credit_grants,
  (select coalesce(jsonb_agg(to_jsonb(u) order by u.id), '[]') from top_ups u) as top_ups,
  (select coalesce(jsonb_agg(to_jsonb(a) order by a.number), '[]') from payment_attempts a where a.account_id = $1 and a.invoice_id = (select id from about)) as attempts,
  (select coalesce(jsonb_agg(to_jsonb(m) order by m.rank, m.id), '[]') from methods m) as methods`;

/** All that one decision may look at, with the other subscriptions that it may change. @throws Refusal as `loadAlone` */
export async function loadSnapshot(t: AccountTransaction, query: SnapshotQuery): Promise<BillingSnapshot> {
  const snapshot = await loadAlone(t, query);
  return withMembers(t, snapshot, query.sharing === true, (subscriptionId) => loadAlone(t, { subscriptionId, lock: false }));
}

/** Of one subscription, or of none. @throws Refusal resource_missing where the customer, subscription or invoice is none of the account's */
async function loadAlone(t: AccountTransaction, query: SnapshotQuery): Promise<BillingSnapshot> {
  const about = [t.accountId, query.customerId ?? null, query.subscriptionId ?? null, query.invoiceId ?? null];
  const { couponIds = [], promotionCodeIds = [] } = query;
  const redeems = query.lock && couponIds.length + promotionCodeIds.length > 0;
  // Sent together, run one after the other.
  const [, , { rows }] = await Promise.all([
    query.lock ? t.run(LOCK, about) : null,
    redeems ? t.run(LOCK_COUPONS, [t.accountId, couponIds, promotionCodeIds]) : null,
    t.run<Record<string, Row | Row[] | boolean | null>>(READ, [
      ...about,
      query.priceIds ?? [],
      query.taxRateIds ?? [],
      query.paymentMethodIds ?? [],
      query.invoiceItemId ?? null,
      couponIds,
      promotionCodeIds,
      query.trialHistory === true,
      query.scheduleId ?? null,
    ]),
  ]);
  const read = rows[0] ?? {};
  if (query.subscriptionId !== undefined && !read['subscription']) missing('subscription', query.subscriptionId);
  if (query.invoiceId !== undefined && !read['invoice']) missing('invoice', query.invoiceId);
  const customer = read['customer'] ? fromRow(CUSTOMERS, read['customer'] as Row) : query.standIn;
  if (!customer) missing('customer', query.customerId ?? '');
  const list = (name: string): Row[] => read[name] as Row[];
  const byId = <T extends { id: string }>(objects: T[]): Record<string, T> =>
    Object.fromEntries(objects.map((object) => [object.id, object]));
  const subscription = read['subscription'] ? subscriptionFromRow(read['subscription'] as Row) : null;
  const prices = byId(list('prices').map((row) => fromRow(PRICES, row)));
  const usage = subscription && query.asOf !== undefined ? await loadMeteredUsage(t, subscription, prices, query.asOf) : undefined;
  return {
    account: fromRow(ACCOUNTS, read['account'] as Row),
    customer,
    subscription,
    prices,
    products: byId(list('products').map((row) => fromRow(PRODUCTS, row))),
    taxRates: byId(list('tax_rates').map((row) => fromRow(TAX_RATES, row))),
    coupons: byId(list('coupons').map((row) => fromRow(COUPONS, row))),
    promotionCodes: byId(list('codes').map((row) => fromRow(PROMOTION_CODES, row))),
    hasPaidBefore: read['has_paid_before'] === true,
    trialedProductIds: read['trialed'] as unknown as string[],
    billed: list('billed').map((row) => fromRow(BILLED_PERIODS, row)),
    pendingItems: list('pending').map((row) => fromRow(INVOICE_ITEMS, row)),
    customerItems: list('loose').map((row) => fromRow(INVOICE_ITEMS, row)),
    item: read['item'] ? fromRow(INVOICE_ITEMS, read['item'] as Row) : null,
    openInvoices: list('unsettled').map(invoiceFromRow),
    invoice: read['invoice'] ? invoiceFromRow(read['invoice'] as Row) : null,
    creditGrants: list('credit_grants').map((row) => fromRow(CREDIT_GRANTS, row)),
    topUps: list('top_ups').map((row) => fromRow(CREDIT_TOP_UPS, row)),
    attempts: list('attempts').map((row) => fromRow(PAYMENT_ATTEMPTS, row)),
    ...(usage === undefined ? {} : { usage }),
    schedule: read['schedule'] ? fromRow(SCHEDULES, read['schedule'] as Row) : null,
    paymentMethods: list('methods').map((row) => fromRow(PAYMENT_METHODS, row)),
  };
}

function missing(noun: string, id: string): never {
  throw new Refusal('resource_missing', `No such ${noun}: '${id}'`, noun);
}
