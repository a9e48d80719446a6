import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../runtime/usage-error.ts';
import { parseOperatorOptions } from './operator-options.ts';

const flags = {
  title: { type: 'string', describe: 'of all pages' },
  'most-pages': { type: 'number', default: 10, describe: 'for each website' },
} as const;
const parse = (...args: string[]) =>
  parseOperatorOptions({ name: 'site-operator', purpose: 'Sites.', ring: 'sites', flags }, args);

test('a replica is sharded unless it is told not to be, and has the flags of its program', async () => {
  const options = await parse('--shard-name=a', '--title', 'Hello', '--health-address=0');
  assert.equal(options?.sharded, true);
  assert.equal(options.ring, 'sites');
  assert.equal(options.workers, 5);
  assert.equal(options.qps, undefined);
  assert.equal(options.healthAddress, undefined);
  assert.deepEqual(options.metricsAddress, { host: '', port: 8_080 });
  assert.deepEqual([options.flags.title, options.flags['most-pages']], ['Hello', 10]);
  const single = await parse('--no-sharded', '--shard-name', 'Not a shard name', '--qps=0.5', '--burst=3');
  assert.deepEqual([single?.sharded, single?.qps, single?.burst], [false, 0.5, 3]);
});

for (const [args, told] of [
  [['--ring=A'], /--ring: ring name "A" is not valid/],
  [['--shard-name=A'], /--shard-name: shard name "A" is not valid/],
  [['--shard-slots', `--ring=${'a'.repeat(63)}`], /--shard-slots: the ring's name is too long/],
  [['--workers=0'], /--workers: must be 1 or more/],
  [['--burst=1.5'], /--burst: must be 1 or more/],
  [['--qps=0'], /--qps: must be more than 0/],
  [['--health-address=here'], /--health-address/],
  [['--tittle=x'], /unknown argument: tittle/],
] as const) {
  test(`${args.join(' ')} is refused`, async () => {
    await assert.rejects(
      parse(...args),
      (error: Error) => error instanceof UsageError && told.test(error.message),
    );
  });
}
