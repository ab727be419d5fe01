import { inject, test } from 'vitest';
import { startStack } from '../support/stack.ts';
import { live } from './stories.ts';
test('one', { timeout: 200000 }, async () => {
  const stack = await startStack({ worker: 'none' });
  for (const crashAt of [null, 'issue-invoice:loaded', 'collect-payment:gateway-called']) {
    const t = performance.now();
    await live(stack, { temporalAddress: inject('temporalAddress'), home: inject('home') }, { story: 'renewal', crashAt, times: 1 });
    console.log(crashAt, performance.now() - t);
  }
  const t = performance.now();
  await live(stack, { temporalAddress: inject('temporalAddress'), home: inject('home') }, { story: 'renewal', crashAt: 'issue-invoice:loaded', times: 3 });
  console.log('x3', performance.now() - t);
  await stack.stop();
});
