import { type BadValue, BIG, refuses } from './refusals.ts';

const TOP_UP =
  'customer=cus_1&applicability_config[scope][price_type]=metered&threshold[type]=monetary&threshold[monetary][currency]=eur&threshold[monetary][value]=500&amount[type]=monetary&amount[monetary][currency]=eur&amount[monetary][value]=2000';
const GRANT =
  'customer=cus_1&amount[type]=monetary&amount[monetary][currency]=eur&amount[monetary][value]=1000&applicability_config[scope][price_type]=metered';

refuses([
  ...(
    [
      [GRANT.replace('customer=cus_1', 'customer=cus_1b'), 'customer', 'resource_missing'],
      [GRANT.replace('[value]=1000', '[value]=0'), 'amount[monetary][value]'],
      [GRANT.replace('[value]=1000', `[value]=${BIG}`), 'amount[monetary][value]'],
      [GRANT.replace('=eur', '=xxx'), 'amount[monetary][currency]'],
      [GRANT.replace('amount[type]=monetary', 'amount[type]=tokens'), 'amount[type]'],
      [GRANT.replace('=metered', '=one_time'), 'applicability_config[scope][price_type]'],
      [`${GRANT}&applicability_config[scope][prices][0][id]=price_1`, 'applicability_config[scope][prices]', 'parameters_exclusive'],
      [
        'customer=cus_1&amount[type]=monetary&amount[monetary][currency]=eur&amount[monetary][value]=1',
        'applicability_config',
        'parameter_missing',
      ],
      [GRANT.replace('[price_type]=metered', '[prices][0][id]=price_1b'), 'applicability_config[scope][prices][0][id]', 'resource_missing'],
      [`${GRANT}&category=free`, 'category'],
      [`${GRANT}&priority=101`, 'priority'],
      [`${GRANT}&effective_at=1`, 'effective_at'],
      [`${GRANT}&expires_at=1`, 'expires_at'],
      [`${GRANT}&customer_account=acct_9`, 'customer_account', 'parameter_unknown'],
    ] as [string, string, string?][]
  ).map(([body, param, code]): BadValue => ['POST', '/v1/billing/credit_grants', body, { param, ...(code === undefined ? {} : { code }) }]),
  ...(
    [
      [TOP_UP.replace('customer=cus_1', 'customer=cus_1b'), 'customer', 'resource_missing'],
      [TOP_UP, 'customer', 'resource_already_exists'],
      [TOP_UP.replace('threshold[type]=monetary', 'threshold[type]=tokens'), 'threshold[type]'],
      [TOP_UP.replace('[value]=500', '[value]=0'), 'threshold[monetary][value]'],
      [TOP_UP.replace('[value]=2000', `[value]=${BIG}`), 'amount[monetary][value]'],
      [TOP_UP.replace('threshold[monetary][currency]=eur', 'threshold[monetary][currency]=usd'), 'threshold[monetary][currency]'],
      [
        TOP_UP.replace('[price_type]=metered', '[prices][0][id]=price_1b'),
        'applicability_config[scope][prices][0][id]',
        'resource_missing',
      ],
      [`${TOP_UP}&payment_method=pm_1b`, 'payment_method', 'resource_missing'],
      [`${TOP_UP}&max_per_month=0`, 'max_per_month'],
      [`${TOP_UP}&expires_after[interval]=never`, 'expires_after[interval]'],
      [`${TOP_UP}&category=paid`, 'category', 'parameter_unknown'],
    ] as [string, string, string?][]
  ).map(
    ([body, param, code]): BadValue => ['POST', '/v1/billing/credit_top_ups', body, { param, ...(code === undefined ? {} : { code }) }],
  ),
  [
    'POST',
    '/v1/billing/credit_top_ups/crtopup_1',
    'amount[type]=monetary&amount[monetary][currency]=usd&amount[monetary][value]=1',
    { param: 'amount[monetary][currency]' },
  ],
  ['POST', '/v1/billing/credit_top_ups/crtopup_1', 'payment_method=pm_1b', { code: 'resource_missing', param: 'payment_method' }],
  ['POST', '/v1/billing/credit_top_ups/crtopup_1', 'priority=1', { code: 'parameter_unknown', param: 'priority' }],
  ['POST', '/v1/billing/credit_top_ups/crtopup_1b', 'active=true', { status: 404, code: 'resource_missing' }],
  ['GET', '/v1/billing/credit_top_ups/crtopup_1b', '', { status: 404, code: 'resource_missing' }],
  ['POST', '/v1/billing/credit_grants/credgr_1', 'priority=1', { code: 'parameter_unknown', param: 'priority' }],
  ['POST', '/v1/billing/credit_grants/credgr_1', 'expires_at=1', { param: 'expires_at' }],
  ['POST', '/v1/billing/credit_grants/credgr_over', 'expires_at=', {}],
  ['POST', '/v1/billing/credit_grants/credgr_over/expire', '', {}],
  ['POST', '/v1/billing/credit_grants/credgr_used/void', '', {}],
  ['POST', '/v1/billing/credit_grants/credgr_1b/void', '', { status: 404, code: 'resource_missing' }],
  ['GET', '/v1/billing/credit_balance_transactions/crbtxn_x', '', { status: 404, code: 'resource_missing' }],
  ['GET', '/v1/billing/credit_balance_summary?customer=cus_1', '', { code: 'parameter_missing', param: 'filter' }],
  [
    'GET',
    '/v1/billing/credit_balance_summary?customer=cus_1b&filter[type]=credit_grant&filter[credit_grant]=credgr_1',
    '',
    { param: 'customer' },
  ],
  [
    'GET',
    '/v1/billing/credit_balance_summary?customer=cus_1&filter[type]=credit_grant&filter[credit_grant]=credgr_1b',
    '',
    { code: 'resource_missing', param: 'filter[credit_grant]' },
  ],
  [
    'GET',
    '/v1/billing/credit_balance_summary?customer=cus_1&filter[type]=applicability_scope',
    '',
    { code: 'parameter_missing', param: 'filter[applicability_scope]' },
  ],
]);
