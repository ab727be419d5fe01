import type { BillingSnapshot } from '../../domain/billing-snapshot.ts';
import { type Decision, emptyDecision } from '../../domain/decision.ts';
import type { Invoice } from '../../domain/invoicing/invoice.ts';
import { decideAttemptOutcome } from '../../domain/payments/settle-attempt.ts';
import { decideAttempt } from '../../domain/payments/start-attempt.ts';
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

  /** Somebody comes: the customer is one, whoever's book tells of him. */
  join(book: MemoryBook): void {
    for (const each of this.books.values()) each.customer = { ...each.customer, balance: book.customer.balance };
    this.books.set(book.living.id, book);
  }

  /** Consolidated invoices that wait. */
  get drafts(): Invoice[] {
    const drafts = [...this.books.values()]
      .flatMap(({ allInvoices }) => allInvoices)
      .filter((invoice) => invoice.status === 'draft' && invoice.consolidationKey !== undefined);
    return [...new Map(drafts.map((draft) => [draft.id, draft])).values()];
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
    const { drafts } = this;
    const siblings = others.map(({ living }) => living).filter(({ status }) => !hasEnded(status) && status !== 'unpaid');
    const shared = [...own.openInvoices, ...drafts].flatMap(({ subscriptionIds = [] }) => subscriptionIds);
    const members = others.filter(({ living }) => shared.includes(living.id)).map((other) => other.snapshot({ asOf }));
    return this.#record(book, decide({ ...own, consolidation: { drafts, siblings }, members }, this.#context(book, asOf)));
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

  /** The card always works. */
  pay(invoiceId: string, at: Instant): void {
    this.about(invoiceId, at, (snapshot, context) => {
      const { attempt, decision } = decideAttempt(snapshot, { paymentMethodId: null, operationId: `op_${invoiceId}` }, context);
      if (!attempt) return decision;
      const result = { kind: 'succeeded', reference: `ch_${attempt.id}`, declineCode: null, message: null } as const;
      return decideAttemptOutcome({ ...snapshot, attempts: [attempt] }, { attemptId: attempt.id, result }, context).decision;
    });
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

/** The book of one subscription of a household, which it joins when it is created: what is decided about it is decided in the sight of the others, and its ids are its own. */
export class MemberBook extends MemoryBook {
  static #books = 0;
  readonly #home: Household;
  readonly #mark = `m${++MemberBook.#books}`;
  #operations = 0;

  constructor(home: Household) {
    super({ customer: { consolidatedInvoicing: true, balance: [...home.books.values()][0]?.customer.balance ?? 0 } });
    this.#home = home;
  }

  override context(asOf: Instant, operation = `${this.#mark}o${++this.#operations}`) {
    return super.context(asOf, operation);
  }

  override do(asOf: Instant, decide: Decide): Decision {
    if (this.subscription !== null) return this.#home.do(this.subscription.id.slice('sub_'.length), asOf, decide);
    const [other] = this.#home.books.values();
    if (other) this.customer = { ...this.customer, balance: other.customer.balance };
    const decision = super.do(asOf, decide);
    this.#home.join(this);
    return decision;
  }

  override pay(invoiceId: string, at: Instant): void {
    if (this.invoice(invoiceId).subscriptionIds === undefined) super.pay(invoiceId, at);
    else this.#home.pay(invoiceId, at);
  }
}
