/** The bundle: every workflow a worker can run, under the name its type has on the server. */
export { dunning } from './dunning/run.ts';
export { invoice } from './invoice/run.ts';
export { priceMigration } from './price-migration/run.ts';
export { quote } from './quote/run.ts';
export { subscription } from './subscription/run.ts';
export { testClock } from './test-clock/run.ts';
