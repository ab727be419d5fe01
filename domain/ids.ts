/** Prefix of every kind of id; the same words as Stripe's. */
export const ID_PREFIX = {
  account: 'acct',
  apiKey: 'key',
  customer: 'cus',
  product: 'prod',
  price: 'price',
  taxRate: 'txr',
  paymentMethod: 'pm',
  subscription: 'sub',
  subscriptionItem: 'si',
  coupon: 'coupon',
  promotionCode: 'promo',
  discount: 'di',
  invoice: 'in',
  invoiceLine: 'il',
  invoiceItem: 'ii',
  billedPeriod: 'bp',
  paymentAttempt: 'pa',
  balanceTransaction: 'cbtxn',
  journalTransaction: 'jt',
  event: 'evt',
  operation: 'op',
  testClock: 'clock',
  scheduledChange: 'schg',
  feature: 'feat',
  productFeature: 'prodft',
  subscriptionSchedule: 'sub_sched',
  quote: 'qt',
  quoteLine: 'li',
  meter: 'mtr',
  meterEvent: 'mev',
  usagePeriod: 'up',
  alert: 'alrt',
  creditGrant: 'credgr',
  creditTransaction: 'crbtxn',
  creditTopUp: 'crtopup',
  priceMigration: 'pmig',
} as const;

export type IdPrefix = (typeof ID_PREFIX)[keyof typeof ID_PREFIX];

/** Whether a text has the form of an id of that kind: prefix, underscore, at most 250 letters, digits and underscores in all. */
export const isId = (prefix: IdPrefix, text: string): boolean =>
  text.startsWith(`${prefix}_`) && text.length > prefix.length + 1 && /^[A-Za-z0-9_]{1,250}$/.test(text);
