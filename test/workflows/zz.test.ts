import { test } from 'vitest';
import { skippingEnvironment } from './environment.ts';
import { live } from './life.ts';
test('x', async () => {
  const env = await skippingEnvironment();
  await live(env, async (life) => {
    const l = (m: unknown) => console.log(m);
    await life.subscribe();
    life.billing.charges = ['declined'];
    const { periodEnd } = (await life.state()).facts;
    l('sleep1');
    await env.sleep((periodEnd - (await life.now()) + 60) * 1000);
    l('slept');
    await life.quiet();
    l('quiet');
    const id = life.billing.invoices.at(-1)?.id ?? '';
    l((await life.state()).dunning); l((await life.attributes()));
    l(await life.details('dunning:'+id));
    for (let i = 0; i < 9; i++) { await Promise.race([env.sleep('1 day'), new Promise(r => setTimeout(r, 5000))]); l([i, life.billing.attempts.length, await life.now()]); }
  });
}, 60000);
