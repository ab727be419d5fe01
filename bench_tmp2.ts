import { createTestDatabase } from './test/support/database.ts';
import { readFileSync } from 'node:fs';
import { openDatabase, withAccount } from './db/client.ts';
import { loadSnapshot } from './db/billing-snapshot.ts';
import { findOperation } from './db/operations.ts';
import { recordDecision } from './db/record-decision.ts';
import { emptyDecision } from './domain/decision.ts';
import * as ex from './test/api/examples.ts';
import { insertAccount } from './db/accounts.ts';
import { insertCustomer } from './db/customers.ts';
import { insertProduct } from './db/products.ts';
import { insertPrice } from './db/prices.ts';
const d = await createTestDatabase(readFileSync('/tmp/db-mine/url','utf8'));
{ const { default: pg0 } = await import("pg"); const c = new pg0.Client({connectionString: d.url}); await c.connect(); await c.query("create extension if not exists pg_stat_statements"); await c.query("select pg_stat_statements_reset()"); await c.end(); }
const db = openDatabase({ url: d.url, poolMax: 10 });
await insertAccount(db, ex.anAccount({id:'acct_1'}));
await withAccount(db,'acct_1', async (t) => { await insertProduct(t, ex.aProduct({defaultPriceId:null})); await insertPrice(t, ex.aPrice()); });
const N = 200;
const sub = (i:number) => ex.aSubscription({ id:`sub_${i}`, customerId:`cus_${i}`, latestInvoiceId: null, defaultTaxRateIds: [], items:[{ id:`si_${i}`, priceId:'price_1', quantity:'2', taxRateIds:[], metadata:{}, createdAt: ex.START }] });
for (let i=0;i<N;i++) await withAccount(db,'acct_1', async (t) => { await insertCustomer(t, ex.aCustomer({id:`cus_${i}`, externalId:null, defaultPaymentMethodId:null, balance:0})); await recordDecision(t, op(`c_${i}`), {...emptyDecision(), subscription: sub(i)}, () => null); });
function op(id: string) { return { operationId:id, kind:'x', asOf: ex.START, requestHash:'h', subscriptionId:null, invoiceId:null, actor:'w' }; }
async function renew(i:number, k:number) {
  await withAccount(db,'acct_1', async (t) => {
    const s = await loadSnapshot(t, { subscriptionId:`sub_${i}`, lock:true });
    await findOperation(t, `r_${i}_${k}`);
    const start = ex.START + k*1000, end = start+1000;
    const inv = ex.anInvoice({ id:`in_${i}_${k}`, number:null, customerId:`cus_${i}`, subscriptionId:`sub_${i}`, lines:[ex.aLine({id:`il_${i}_${k}`, taxes:[], subscriptionItemId:`si_${i}`})], taxes:[], defaultTaxRateIds:[], tax:0,total:2400, amountDue:2400, amountRemaining:0, amountPaid:2400, status:'paid', paidAt: start });
    await recordDecision(t, op(`r_${i}_${k}`), {...emptyDecision(), subscription: {...s.subscription!, currentPeriodStart:start, currentPeriodEnd:end, latestInvoiceId: inv.id }, invoices:[inv],
      billed:{shrink:[],attach:[],insert:[{id:`bp_${i}_${k}`,subscriptionItemId:`si_${i}`,priceId:'price_1',quantity:'2',start,end,originalStart:start,originalEnd:end,cycleStart:start,cycleEnd:end,amount:2400,credited:0,taxRateIds:[],invoiceId:inv.id,invoiceLineId:`il_${i}_${k}`,invoiceItemId:null}]},
      journal:[{id:`jt_${i}_${k}`,kind:'invoice_finalized',currency:'eur',invoiceId:inv.id,paymentAttemptId:null,customerId:`cus_${i}`,effectiveAt:start,entries:[{ledgerAccount:'receivable',amount:2400},{ledgerAccount:'deferred_revenue',amount:-2400}]}],
      events:[{type:'customer.subscription.updated',objectType:'subscription',objectId:`sub_${i}`,previous:{}},{type:'invoice.created',objectType:'invoice',objectId:inv.id,previous:null},{type:'invoice.finalized',objectType:'invoice',objectId:inv.id,previous:null}]}, () => ({ok:1}));
  });
}
for (let i=0;i<N;i++) await renew(i,0);
{ const { default: pg1 } = await import('pg'); const c = new pg1.Client({connectionString: d.url}); await c.connect(); await c.query('analyze'); await c.query('select pg_stat_statements_reset()'); await c.end(); }
import { readdirSync } from 'node:fs';
const pm = Number(readFileSync('/tmp/db-mine/pgpid','utf8'));
const pgcpu = () => readdirSync('/proc').filter((x)=>/^\d+$/.test(x)).reduce((sum,pid)=>{ try { const f=readFileSync(`/proc/${pid}/stat`,'utf8'); const a=f.slice(f.lastIndexOf(')')+2).split(' '); return Number(a[1])===pm ? sum+Number(a[11])+Number(a[12]) : sum; } catch { return sum; } },0)*10;
for (const conc of [1,8]) { const p0=pgcpu();
  const t0=performance.now(); const c0=process.cpuUsage(); let next=0; const k = conc;
  await Promise.all(Array.from({length:conc}, async () => { while (next<N) await renew(next++, k); }));
  const ms=performance.now()-t0; const c=process.cpuUsage(c0);
  console.log('pg cpu each', (pgcpu()-p0)/N);
  console.log(`conc ${conc}: ${(N/ms*1000).toFixed(0)}/s, ${(ms/N).toFixed(2)} ms each, node cpu ${((c.user+c.system)/1000/N).toFixed(2)} ms each`);
}
import pg from "pg"; { const c = new pg.Client({connectionString: d.url}); await c.connect(); console.log((await c.query("select calls, round((total_exec_time/calls)::numeric,3) ex, round((total_plan_time/calls)::numeric,3) pl, plans, toplevel, left(regexp_replace(query,'\\s+',' ','g'),110) q from pg_stat_statements s join pg_database d on d.oid=s.dbid where d.datname=current_database() and calls > 300 order by total_exec_time+total_plan_time desc limit 40")).rows.map(r=>[r.calls,r.ex,r.pl,r.plans,r.toplevel,r.q].join(" | ")).join("\n")); await c.end(); }
await db.close(); await d.drop();
