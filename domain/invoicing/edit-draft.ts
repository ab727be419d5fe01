import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import type { DecisionContext } from './draft-decision.ts';
import { decideItemChange, decideItemRemoval, decideNewItem, type ItemTerms, type NewItem } from './edit-item.ts';
import { decideDeletion, decideOneOff, type OneOff } from './one-off.ts';

/** What somebody asks to be done to one draft invoice. */
export type DraftEdit =
  | { do: 'add_item'; item: NewItem }
  | { do: 'change_item'; itemId: string; terms: ItemTerms }
  | { do: 'remove_item'; itemId: string }
  | { do: 'create'; invoice: OneOff }
  | { do: 'delete' };

/** @throws Refusal what the edit is refused with */
export function decideEdit(snapshot: BillingSnapshot, edit: DraftEdit, context: DecisionContext): Decision {
  switch (edit.do) {
    case 'add_item':
      return decideNewItem(snapshot, edit.item, context);
    case 'change_item':
      return decideItemChange(snapshot, edit.terms, context);
    case 'remove_item':
      return decideItemRemoval(snapshot, context);
    case 'create':
      return decideOneOff(snapshot, edit.invoice, context);
    case 'delete':
      return decideDeletion(snapshot, context);
  }
}
