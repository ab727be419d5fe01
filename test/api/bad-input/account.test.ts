import { BIG, LONG, refuses } from './refusals.ts';

refuses([
  ['POST', '/v1/test_helpers/test_clocks', '', { code: 'parameter_missing', param: 'frozen_time' }],
  ['POST', '/v1/test_helpers/test_clocks', 'frozen_time=soon', { param: 'frozen_time' }],
  ['POST', '/v1/test_helpers/test_clocks', `frozen_time=${BIG}`, { param: 'frozen_time' }],
  ['POST', '/v1/test_helpers/test_clocks', `frozen_time=0&name=${LONG}`, { param: 'name' }],
  ['POST', '/v1/test_helpers/test_clocks/clock_1/advance', '', { code: 'parameter_missing', param: 'frozen_time' }],
  ['POST', '/v1/test_helpers/test_clocks/clock_1/advance', 'frozen_time=1800000000', { param: 'frozen_time' }],
  ['POST', '/v1/account', 'late_usage=never', { param: 'late_usage' }],
  ['POST', '/v1/account', 'invoice_grace_seconds=259201', { param: 'invoice_grace_seconds' }],
  ['POST', '/v1/account', 'invoice_grace_seconds=-1', { param: 'invoice_grace_seconds' }],
  ['POST', '/v1/account', 'invoice_grace_seconds=an%20hour', { param: 'invoice_grace_seconds' }],
  ['GET', '/v1/events?type=customer.created&types[]=a.b', '', { code: 'parameters_exclusive', param: 'type' }],
  ['GET', '/v1/events?type=DROP%20TABLE', '', { param: 'type' }],
  ['GET', '/v1/nothing', '', { status: 404 }],
  ['GET', '/', '', { status: 404 }],
  ['GET', '/v1/Customers', '', { status: 404 }],
]);
