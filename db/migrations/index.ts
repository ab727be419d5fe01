import type { Knex } from 'knex';
import * as addOns from './add-ons.ts';
import * as anchorsAndScheduledChanges from './anchors-and-scheduled-changes.ts';
import * as bundles from './bundles.ts';
import * as catalogue from './catalogue.ts';
import * as clockSeries from './clock-series.ts';
import * as consolidatedInvoices from './consolidated-invoices.ts';
import * as creationOrder from './creation-order.ts';
import * as creditTopUps from './credit-top-ups.ts';
import * as credits from './credits.ts';
import * as customers from './customers.ts';
import * as discounts from './discounts.ts';
import * as draftWindow from './draft-window.ts';
import * as entitlements from './entitlements.ts';
import * as generations from './generations.ts';
import * as invoicedCustomers from './invoiced-customers.ts';
import * as invoices from './invoices.ts';
import * as keyLookUp from './key-look-up.ts';
import * as lateUsage from './late-usage.ts';
import * as leanMeterEvents from './lean-meter-events.ts';
import * as operationsAndEvents from './operations-and-events.ts';
import * as pauses from './pauses.ts';
import * as paymentsAndBooks from './payments-and-books.ts';
import * as priceMigrations from './price-migrations.ts';
import * as priceModels from './price-models.ts';
import * as quotes from './quotes.ts';
import * as recurringCredits from './recurring-credits.ts';
import * as revisions from './revisions.ts';
import * as rowLevelSecurity from './row-level-security.ts';
import * as schedules from './schedules.ts';
import * as sharedTimelines from './shared-timelines.ts';
import * as subscriptions from './subscriptions.ts';
import * as testClocks from './test-clocks.ts';
import * as timeline from './timeline.ts';
import * as trials from './trials.ts';
import * as trialsAndPauses from './trials-and-pauses.ts';
import * as usage from './usage.ts';
import * as usageAlerts from './usage-alerts.ts';
import * as usageCommitments from './usage-commitments.ts';
import * as usagePeriods from './usage-periods.ts';
import * as usageThresholds from './usage-thresholds.ts';

/** In order. Names are stored in the database, so they never change and carry no file ending. */
const MIGRATIONS: [name: string, migration: Knex.Migration][] = [
  ['001-catalogue', catalogue],
  ['002-customers', customers],
  ['003-subscriptions', subscriptions],
  ['004-invoices', invoices],
  ['005-payments-and-books', paymentsAndBooks],
  ['006-operations-and-events', operationsAndEvents],
  ['007-row-level-security', rowLevelSecurity],
  ['008-test-clocks', testClocks],
  ['009-trials-and-pauses', trialsAndPauses],
  ['010-anchors-and-scheduled-changes', anchorsAndScheduledChanges],
  ['011-pauses', pauses],
  ['012-trials', trials],
  ['013-draft-window', draftWindow],
  ['014-key-look-up', keyLookUp],
  ['015-timeline', timeline],
  ['015-clock-series', clockSeries],
  ['016-generations', generations],
  ['017-price-models', priceModels],
  ['018-discounts', discounts],
  ['019-invoiced-customers', invoicedCustomers],
  ['020-usage', usage],
  ['023-entitlements', entitlements],
  ['020-usage-periods', usagePeriods],
  ['021-schedules', schedules],
  ['022-quotes', quotes],
  ['024-credits', credits],
  ['025-price-migrations', priceMigrations],
  ['026-usage-commitments', usageCommitments],
  ['027-revisions', revisions],
  ['031-add-ons', addOns],
  ['029-usage-thresholds', usageThresholds],
  ['032-usage-alerts', usageAlerts],
  ['032-late-usage', lateUsage],
  ['031-bundles', bundles],
  ['030-consolidated-invoices', consolidatedInvoices],
  ['034-recurring-credits', recurringCredits],
  ['035-credit-top-ups', creditTopUps],
  ['036-shared-timelines', sharedTimelines],
  ['037-creation-order', creationOrder],
  ['033-lean-meter-events', leanMeterEvents],
];

export const migrationSource: Knex.MigrationSource<(typeof MIGRATIONS)[number]> = {
  getMigrations: async () => MIGRATIONS,
  getMigrationName: ([name]) => name,
  getMigration: async ([, migration]) => migration,
};
