import { refuses } from './refusals.ts';

refuses([
  ['POST', '/v1/coupons', '', { code: 'parameter_missing', param: 'percent_off' }],
  ['POST', '/v1/coupons', 'percent_off=10&amount_off=10&currency=eur', { code: 'parameters_exclusive', param: 'percent_off' }],
  ...['percent_off=0', 'percent_off=100.1', 'percent_off=ten', 'percent_off=10&duration=twice', 'percent_off=10&max_redemptions=0'].map(
    (params): [string, string, string, { param: string }] => [
      'POST',
      '/v1/coupons',
      params,
      { param: params.split('&').at(-1)?.split('=')[0] ?? '' },
    ],
  ),
  ['POST', '/v1/coupons', 'amount_off=10', { code: 'parameter_missing', param: 'currency' }],
  ['POST', '/v1/coupons', 'amount_off=0&currency=eur', { param: 'amount_off' }],
  ['POST', '/v1/coupons', 'amount_off=10&currency=euro', { param: 'currency' }],
  ['POST', '/v1/coupons', 'percent_off=10&currency_options[usd][amount_off]=1', { param: 'currency_options' }],
  ['POST', '/v1/coupons', 'percent_off=10&duration=repeating', { code: 'parameter_missing', param: 'duration_in_months' }],
  ['POST', '/v1/coupons', 'percent_off=10&duration_in_months=3', { param: 'duration_in_months' }],
  ['POST', '/v1/coupons', 'percent_off=10&applies_to[products][0]=prod_1b', { code: 'resource_missing', param: 'applies_to[products][0]' }],
  ['POST', '/v1/coupons', 'percent_off=10&applies_to[prices][0]=price_1b', { code: 'resource_missing', param: 'applies_to[prices][0]' }],
  ['POST', '/v1/coupons', 'percent_off=10&id=SPRING', { code: 'resource_already_exists', param: 'id' }],
  ['POST', '/v1/coupons/SPRING', 'percent_off=10', { code: 'parameter_unknown', param: 'percent_off' }],
  ['POST', '/v1/coupons/SPRING', 'currency_options[usd][amount_off]=1', { param: 'currency_options' }],
  ['GET', '/v1/coupons/SPRINGb', '', { status: 404, code: 'resource_missing' }],
  ['POST', '/v1/promotion_codes', 'code=X', { code: 'parameter_missing', param: 'promotion' }],
  [
    'POST',
    '/v1/promotion_codes',
    'promotion[type]=coupon&promotion[coupon]=SPRINGb',
    { code: 'resource_missing', param: 'promotion[coupon]' },
  ],
  ['POST', '/v1/promotion_codes', 'promotion[type]=coupon&promotion[coupon]=LATE', { code: 'coupon_expired', param: 'promotion[coupon]' }],
  [
    'POST',
    '/v1/promotion_codes',
    'promotion[type]=coupon&promotion[coupon]=SPRING&code=WELCOME',
    { code: 'resource_already_exists', param: 'code' },
  ],
  ['POST', '/v1/promotion_codes', 'promotion[type]=coupon&promotion[coupon]=SPRING&code=a%20b', { param: 'code' }],
  [
    'POST',
    '/v1/promotion_codes',
    'promotion[type]=coupon&promotion[coupon]=SPRING&customer=cus_1b',
    { code: 'resource_missing', param: 'customer' },
  ],
  [
    'POST',
    '/v1/promotion_codes',
    'promotion[type]=coupon&promotion[coupon]=SPRING&restrictions[minimum_amount]=1',
    { code: 'parameter_missing', param: 'restrictions[minimum_amount_currency]' },
  ],
  ['POST', '/v1/promotion_codes/promo_1', 'code=OTHER', { code: 'parameter_unknown', param: 'code' }],
]);
