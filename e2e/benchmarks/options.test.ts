import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '@controller-sharding/shared/runtime/process.ts';
import type { Benchmark } from './benchmark.ts';
import { parseOptions } from './options.ts';

const named = (name: string): Benchmark => ({
  name,
  purpose: 'measures',
  objects: 1_000,
  bounds: [],
  run: async () => ({}),
});
const benchmarks = [named('list'), named('watch')];

const parse = (...args: string[]) => parseOptions(args, benchmarks);

test('a benchmark is chosen by its name, with its own number of objects', async () => {
  assert.deepEqual(await parse('watch'), { benchmark: benchmarks[1], json: false, objects: 1_000, pairs: 5 });
  assert.deepEqual(await parse('list', '--json', '--objects', '5', '--pairs', '1'), {
    benchmark: benchmarks[0],
    json: true,
    objects: 5,
    pairs: 1,
  });
});

for (const [args, message] of [
  [[], 'the name of a benchmark is missing: choose from list, watch'],
  [['lists'], 'unknown benchmark lists: choose from list, watch'],
  [['list', 'watch'], 'unknown argument: watch'],
  [['list', '--jsno'], 'unknown argument: jsno'],
  [['list', '--objects', '0'], '--objects: must be a whole number of at least 1'],
  [['list', '--pairs', '0.5'], '--pairs: must be a whole number of at least 1'],
  [['list', '--objects', 'many'], '--objects: must be a whole number of at least 1'],
] as const) {
  test(`wrong usage is told: bench ${args.join(' ')}`, async () => {
    await assert.rejects(parse(...args), (error) => {
      assert.ok(error instanceof UsageError);
      assert.equal(error.message, message);
      return true;
    });
  });
}
