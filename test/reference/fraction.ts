/** Exact arithmetic: fractions of big integers. */
export interface Fraction {
  over: bigint;
  under: bigint;
}

export const whole = (value: number): Fraction => ({ over: BigInt(value), under: 1n });

/** "333.3333" */
export function decimal(text: string): Fraction {
  const [digits = '0', decimals = ''] = text.split('.');
  return { over: BigInt(digits + decimals), under: 10n ** BigInt(decimals.length) };
}

export const plus = (a: Fraction, b: Fraction): Fraction => ({ over: a.over * b.under + b.over * a.under, under: a.under * b.under });
export const times = (a: Fraction, b: Fraction): Fraction => ({ over: a.over * b.over, under: a.under * b.under });
export const part = (value: Fraction, over: number, under: number): Fraction => ({
  over: value.over * BigInt(over),
  under: value.under * BigInt(under),
});

export const minus = (a: Fraction, b: Fraction): Fraction => plus(a, { over: -b.over, under: b.under });
export const compare = (a: Fraction, b: Fraction): number => Number(a.over * b.under - b.over * a.under);

/** Of what is not negative. */
export const roundDown = ({ over, under }: Fraction): number => Number(over / under);

/** Half away from zero. */
export function round({ over, under }: Fraction): number {
  const size = over < 0n ? -over : over;
  const rounded = (2n * size + under) / (2n * under);
  return Number(over < 0n ? -rounded : rounded);
}
