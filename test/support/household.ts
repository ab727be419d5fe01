import type { BillingSnapshot } from '../../domain/billing-snapshot.ts';
import { type Decision, emptyDecision } from '../../domain/decision.ts';
import type { CreateSubscription } from '../../domain/subscription/commands.ts';
import { decideRenewal } from '../../domain/subscription/renew.ts';
import { hasEnded } from '../../domain/subscription/transitions.ts';
import type { Instant } from '../../domain/time.ts';
import { MemoryBook } from './memory-book.ts';
import { createPaid } from './subscribe.ts';

type Decide = (snapshot: BillingSnapshot, context: ReturnType<MemoryBook['context']>) => Decision;

/** One customer with several subscriptions, each in a book of its own, who wants consolidated invoices. Answers with the snapshots that `db/consolidation.ts` would. */
export class Household {
  readonly books = new Map<string, MemoryBook>();
  #operations = 0;

  readonly parts: ConstructorParameters<typeof MemoryBook>[0];

  constructor(parts: ConstructorParameters<typeof MemoryBook>[0] = {}) {
    this.parts = parts;
  }

  /** A subscription of one price, its id `sub_<name>`, whose first invoice is paid. */
  add(name: string, at: Instant, amount: string, patch: Partial<CreateSubscription> & { interval?: 'month' | 'year' } = {}): MemoryBook {
    const { interval = 'month', ...more } = patch;
    const book = new MemoryBook({ ...this.parts, customer: { consolidatedInvoicing: true, ...this.parts?.customer } });
    book.price(name, amount, interval);
    book.taxRate('vat', '19');
    this.books.set(`sub_${name}`, book);
    createPaid(book, at, [name], { subscriptionId: `sub_${name}`, ...more });
    // Ids are counted per book, and are one customer's here.
    for (const map of [book.invoices, book.billed, book.attempts] as Map<string, { id: string }>[]) {
      for (const [id, row] of [...map]) {
        map.delete(id);
        map.set(`${id}-${name}`, { ...row, id: `${id}-${name}` });
      }
    }
    return book;
  }

  of(name: string): MemoryBook {
    const book = this.books.get(`sub_${name}`);
    if (!book) throw new Error(`no ${name}`);
    return book;
  }

  status = (...names: string[]): string[] => names.map((name) => this.of(name).living.status);

  renew = (name: string): Decision => this.do(name, this.of(name).living.currentPeriodEnd, decideRenewal);

  /** About one subscription. */
  do(name: string, asOf: Instant, decide: Decide): Decision {
    const book = this.of(name);
    const own = book.snapshot({ asOf });
    const others = [...this.books.values()].filter((other) => other !== book);
    const drafts = new Map(
      [...this.books.values()]
        .flatMap(({ allInvoices }) => allInvoices)
        .filter((invoice) => invoice.status === 'draft' && invoice.consolidationKey !== undefined)
        .map((draft) => [draft.id, draft]),
    );
    const siblings = others.map(({ living }) => living).filter(({ status }) => !hasEnded(status) && status !== 'unpaid');
    const shared = [...own.openInvoices, ...drafts.values()].flatMap(({ subscriptionIds = [] }) => subscriptionIds);
    const members = others.filter(({ living }) => shared.includes(living.id)).map((other) => other.snapshot({ asOf }));
    return this.#record(
      book,
      decide({ ...own, consolidation: { drafts: [...drafts.values()], siblings }, members }, this.#context(book, asOf)),
    );
  }

  /** About a consolidated invoice, of which no subscription is the owner. */
  about(invoiceId: string, asOf: Instant, decide: Decide): Decision {
    const billed = [...this.books.values()].filter(({ allInvoices }) => allInvoices.some(({ id }) => id === invoiceId));
    const [first] = billed;
    if (!first) throw new Error(`no ${invoiceId}`);
    const snapshot = {
      ...first.snapshot({ invoiceId, asOf }),
      subscription: null,
      billed: [],
      openInvoices: [],
      members: billed.map((book) => book.snapshot({ asOf })),
    };
    return this.#record(null, decide(snapshot, this.#context(first, asOf)));
  }

  #context(book: MemoryBook, asOf: Instant) {
    this.#operations += 1;
    return book.context(asOf, `op${this.#operations}`);
  }

  /** Everybody's book gets what is theirs. */
  #record(owner: MemoryBook | null, decision: Decision): Decision {
    for (const book of this.books.values()) {
      const { id } = book.living;
      const other = decision.others?.find(({ subscription }) => subscription.id === id);
      const invoices = decision.invoices.filter(
        (invoice) => invoice.subscriptionId === id || invoice.subscriptionIds?.includes(id) || (book === owner && !invoice.subscriptionIds),
      );
      const shrink = decision.billed.shrink.filter((row) => book.billed.has(row.id));
      const own = book === owner ? decision : emptyDecision();
      book.record({
        ...own,
        subscription: book === owner ? decision.subscription : (other?.subscription ?? null),
        invoices,
        billed: { ...own.billed, shrink },
        balance: decision.balance,
        customerDiscount: decision.customerDiscount === undefined ? (book.customer.discount ?? null) : decision.customerDiscount,
        discounts: decision.discounts.filter((discount) => discount.subscriptionId === null || book === owner),
      });
    }
    return decision;
  }
}
