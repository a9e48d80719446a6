import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate } from './benchmark.ts';
import { jsonLine, table } from './report.ts';

const result = evaluate(
  {
    name: 'list',
    bounds: [
      { figure: 'longest stall', atMost: 20 },
      { figure: 'rate', atLeast: 500_000 },
      { figure: 'never measured', atMost: 1 },
    ],
  },
  {
    objects: { value: 50_000, unit: '' },
    'longest stall': { value: 12.3456, unit: 'ms' },
    rate: { value: 499_999.6, unit: 'per s' },
  },
);

test('the table has a line for each figure and says which bounds are not kept', () => {
  assert.equal(
    table(result),
    [
      'figure            value  unit   bound      ok',
      'objects          50,000',
      'longest stall      12.3  ms     ≤ 20       yes',
      'rate            500,000  per s  ≥ 500,000  NO',
      'never measured        –         ≤ 1        NO',
    ].join('\n'),
  );
});

test('the line for programs has the exact figures', () => {
  const line = jsonLine(result);
  assert.doesNotMatch(line, /\n/);
  const { name, pass, bounds, figures } = JSON.parse(line);
  assert.deepEqual([name, pass], ['list', false]);
  assert.deepEqual(bounds[1], { figure: 'rate', atLeast: 500_000, ok: false });
  assert.deepEqual(figures['longest stall'], { value: 12.3456, unit: 'ms' });
});
