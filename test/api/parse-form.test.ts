import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../../api/errors.ts';
import { parseForm } from '../../api/parse-form.ts';

const plain = (text: string): unknown => JSON.parse(JSON.stringify(parseForm(text)));

describe('parseForm', () => {
  it.each([
    ['', {}],
    ['a=1', { a: '1' }],
    ['a=', { a: '' }],
    ['a', { a: '' }],
    ['a=b+c%20d', { a: 'b c d' }],
    ['a=x%3Dy', { a: 'x=y' }],
    ['a=x=y', { a: 'x=y' }],
    ['items[0][price]=p&items[0][quantity]=2&items[1][price]=q', { items: { 0: { price: 'p', quantity: '2' }, 1: { price: 'q' } } }],
    ['items%5B0%5D%5Bprice%5D=p', { items: { 0: { price: 'p' } } }],
    ['expand[]=a&expand[]=b', { expand: { 0: 'a', 1: 'b' } }],
    ['expand[0]=a&expand[1]=b', { expand: { 0: 'a', 1: 'b' } }],
    ['items[][price]=p&items[][quantity]=2&items[][price]=q', { items: { 0: { price: 'p', quantity: '2' }, 1: { price: 'q' } } }],
    ['metadata[0]=zero&metadata[k]=v', { metadata: { 0: 'zero', k: 'v' } }],
    ['&&a=1&', { a: '1' }],
  ])('%s', (text, expected) => {
    expect(plain(text)).toEqual(expected);
  });

  it.each([
    ['a=%', 'percent-encoded'],
    ['a=%ff', 'percent-encoded'],
    ['a=1&a=2', 'given twice'],
    ['a=1&a[b]=2', 'both a value and a hash'],
    ['a[b=1', 'parameter name'],
    ['[a]=1', 'parameter name'],
    ['a]=1', 'parameter name'],
    ['a[b]c=1', 'parameter name'],
    ['a[b][c][d][e][f][g][h][i]=1', 'too deeply'],
    ['__proto__[polluted]=1', 'unknown parameter'],
    ['metadata[__proto__]=1', 'unknown parameter'],
    [Array.from({ length: 2001 }, (_, n) => `a${n}=1`).join('&'), 'Too many parameters'],
  ])('refuses %.40s', (text, message) => {
    expect(() => parseForm(text)).toThrow(ApiError);
    expect(() => parseForm(text)).toThrow(message);
  });

  it('never throws anything but a 400, and never touches prototypes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'b', '[', ']', '=', '&', '%', '0', '1', '+', '\u0000', 'é', '_proto_') }),
        (text) => {
          try {
            parseForm(text);
          } catch (error) {
            expect(error).toBeInstanceOf(ApiError);
            expect((error as ApiError).status).toBe(400);
          }
          expect(Object.keys(Object.prototype)).toEqual([]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('reads back what an SDK writes', () => {
    const word = fc.stringMatching(/^[a-z][a-z_]{0,8}$/);
    const value = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(fc.dictionary(word, fc.dictionary(word, value, { minKeys: 1 }), { maxKeys: 5, noNullPrototype: true }), (hashes) => {
        const text = Object.entries(hashes)
          .flatMap(([outer, hash]) => Object.entries(hash).map(([inner, leaf]) => `${outer}[${inner}]=${encodeURIComponent(leaf)}`))
          .join('&');
        expect(plain(text)).toEqual(JSON.parse(JSON.stringify(hashes)));
      }),
    );
  });
});
