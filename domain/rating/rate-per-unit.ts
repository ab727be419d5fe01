import { type ExactAmount, exact, times } from '../money.ts';

/**
 * Amount x quantity, exact: a flat price is quantity 1, a price per seat the number of seats.
 *
 * EUR 12.50 a seat, 7 seats: 1250 x 7 = 8750, EUR 87.50.
 */
export const ratePerUnit = (unitAmountDecimal: string, quantity: string): ExactAmount => times(exact(unitAmountDecimal), quantity);
