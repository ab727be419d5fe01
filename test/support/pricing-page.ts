import { stripTypeScriptTypes } from 'node:module';
import { runInNewContext } from 'node:vm';
import Stripe from 'stripe';
import { checkInput } from '../../api/check-input.ts';
import { parseForm } from '../../api/parse-form.ts';
import { newPrice } from '../../api/price-input.ts';
import { ROUTES } from '../../api/routes/index.ts';
import type { PriceData } from '../../api/schemas/price-data.ts';
import type { priceCreate } from '../../api/schemas/prices.ts';
import type { z } from '../../api/schemas/zod.ts';
import { aMeter } from '../api/examples.ts';
import { MemoryBook } from './memory-book.ts';

/** A request of a page: what the API's own schema makes of it. */
export interface PageRequest {
  path: string;
  // biome-ignore lint/suspicious/noExplicitAny: each path has a shape of its own.
  input: any;
}

const understood = (path: string, form: string): PageRequest => {
  const route = ROUTES.find(
    ({ method, path: pattern }) => method === 'post' && new RegExp(`^${pattern.replace(/:\w+/g, '[^/]+')}$`).test(path),
  );
  if (route === undefined) throw new Error(`there is no POST ${path}`);
  return { path, input: checkInput(route.params, { textual: true, values: parseForm(form) }) };
};

const blocksOf = (page: string, language: string): string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(([, block = '']) => block);

/** "$SEATS" names what is called "seats", "$METER" the meter. */
const named = (text: string): string => text.replace(/\$([A-Z_]+)/g, (_, name: string) => NAMES[name] ?? name.toLowerCase());
const NAMES: Record<string, string> = { METER: 'mtr_1', CUSTOMER: 'cus_1', SUBSCRIPTION: 'sub_1', ITEM: 'si_desk' };

/** What the curl commands of a page send, in their order. */
export function requestsOfCurl(page: string): PageRequest[] {
  const commands = blocksOf(page, 'sh').join('\n').replaceAll('\\\n', ' ').split('\n').filter(Boolean);
  return commands.map((command) => {
    const [, path = '', rest = ''] = /^curl -s \$API(\/\S+) -u \$KEY:(.*)$/.exec(command) ?? [];
    const pairs = [...rest.matchAll(/ -d ((?:'[^']*'|"[^"]*"|[^\s'"])+)/g)].map(([, word = '']) => named(word.replace(/['"]/g, '')));
    if (path === '' || pairs.length !== rest.split(' -d ').length - 1) throw new Error(`not understood: ${command}`);
    const form = pairs.map((pair) => pair.split('=').map(encodeURIComponent)).map(([key, ...value]) => `${key}=${value.join('=')}`);
    return understood(named(path), form.join('&'));
  });
}

/** What the official client sends when it runs the code of a page; every answer is an object with an id. */
export async function requestsOfSdk(page: string): Promise<PageRequest[]> {
  const requests: PageRequest[] = [];
  const answer = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const { pathname } = new URL(String(url instanceof Request ? url.url : url));
    const request = understood(pathname, String(init?.body ?? ''));
    requests.push(request);
    const id = pathname.endsWith('/meters') ? 'mtr_1' : (request.input.lookup_key ?? request.input.id ?? 'id_1');
    return new Response(JSON.stringify({ id }), { headers: { 'content-type': 'application/json' } });
  };
  const stripe = new Stripe('sk_test_page', { httpClient: Stripe.createFetchHttpClient(answer as typeof fetch), telemetry: false });
  const code = stripTypeScriptTypes(blocksOf(page, 'ts').join('\n'));
  await runInNewContext(`(async () => {${code}\n})()`, { Stripe, stripe, customer: 'cus_1', subscription: 'sub_1', item: 'si_desk' });
  return requests;
}

/** A book with what the requests sell: prices by their `lookup_key`, one made in passing as `price_data`. */
export function bookOf(requests: readonly PageRequest[]): MemoryBook {
  const book = new MemoryBook({ account: { prorationBasis: 'day' } });
  const product = (id: string, input: { name: string; unit_label?: string | null; requires_one_of?: string[] }): void => {
    book.price(id.replace('prod_', ''), '0');
    const made = { name: input.name, unitLabel: input.unit_label ?? null, requiresOneOf: input.requires_one_of ?? [] };
    const kept = book.products[id];
    if (kept !== undefined) book.products[id] = { ...kept, ...made };
  };
  const price = (id: string, productId: string, input: Parameters<typeof newPrice>[1]): void => {
    book.prices[id] = newPrice(productId, input, { newId: () => id, now: () => 0 });
  };
  for (const { path, input } of requests) {
    if (path === '/v1/products') product(input.id, input);
    if (path === '/v1/billing/meters') book.meters['mtr_1'] = aMeter({ formula: input.default_aggregation.formula });
    if (path === '/v1/prices') {
      const { product_data: data, lookup_key: key, product: productId } = input as z.output<typeof priceCreate>;
      if (key === undefined) throw new Error('a price of a page has a lookup_key');
      if (data !== undefined) product(data.id ?? `prod_${key}`, data as { name: string });
      price(key, productId ?? data?.id ?? `prod_${key}`, input);
    }
    if (path.startsWith('/v1/subscriptions'))
      for (const { id, price_data: data } of input.items as { id: string; price_data?: PriceData }[])
        if (data !== undefined) price('price_data', data.product, { ...data, active: false, madeFor: id });
  }
  return book;
}
