import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bound, evaluate, type Figures } from './benchmark.ts';

const ms = (value: number): Figures => ({ stall: { value, unit: 'ms' } });

for (const [bound, figures, ok] of [
  [{ figure: 'stall', atMost: 20 }, ms(20), true],
  [{ figure: 'stall', atMost: 20 }, ms(20.001), false],
  [{ figure: 'stall', atLeast: 20 }, ms(20), true],
  [{ figure: 'stall', atLeast: 20 }, ms(19.999), false],
  [{ figure: 'stall', atMost: 20 }, ms(Number.NaN), false],
  [{ figure: 'stall', atLeast: 20 }, ms(Number.NaN), false],
  [{ figure: 'other', atMost: 20 }, ms(1), false],
] satisfies [Bound, Figures, boolean][]) {
  test(`${JSON.stringify(bound)} of ${JSON.stringify(figures)}: ${ok}`, () => {
    assert.deepEqual(evaluate({ name: 'x', bounds: [bound] }, figures), {
      name: 'x',
      pass: ok,
      bounds: [{ ...bound, ok }],
      figures,
    });
  });
}

test('one bound that is not kept fails the whole', () => {
  const bounds = [
    { figure: 'stall', atMost: 20 },
    { figure: 'stall', atMost: 2 },
  ];
  const { pass, bounds: checked } = evaluate({ name: 'x', bounds }, ms(10));
  assert.equal(pass, false);
  assert.deepEqual(
    checked.map(({ ok }) => ok),
    [true, false],
  );
});
