import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cordonedAnnotation,
  drainAnnotation,
  weightAnnotation,
} from '@controller-sharding/shared/sharding/contract.ts';
import { shardSettings } from './shard-settings.ts';

const settingsOf = (annotations?: Record<string, string>) =>
  shardSettings({ metadata: { name: 'a', ...(annotations && { annotations }) } });

test('a Lease without annotations is a shard of weight 1 that takes and keeps objects', () => {
  assert.deepEqual(settingsOf(), {
    weight: 1,
    cordoned: false,
    draining: false,
    settling: false,
    problems: [],
  });
});

test('annotations set weight, cordon and drain', () => {
  const annotations = { [weightAnnotation]: '2.5', [cordonedAnnotation]: 'true', [drainAnnotation]: 'true' };
  assert.deepEqual(settingsOf(annotations), {
    weight: 2.5,
    cordoned: true,
    draining: true,
    settling: false,
    problems: [],
  });
});

for (const [text, weight] of [
  ['0.01', 0.01],
  ['1000', 1_000],
  ['007', 7],
] as const) {
  test(`"${text}" is a weight of ${weight}`, () => {
    const settings = settingsOf({ [weightAnnotation]: text });
    assert.deepEqual([settings.weight, settings.problems], [weight, []]);
  });
}

for (const text of ['', '0', '-1', '+1', '1e3', '0x10', 'NaN', 'Infinity', '1,5', ' 2', '1001', '2.', '🙂']) {
  test(`"${text}" is no weight: the default is used, and it is said`, () => {
    const { weight, problems } = settingsOf({ [weightAnnotation]: text });
    assert.equal(weight, 1);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', /weight is .* must be a number from 0.01 to 1000/);
  });
}

for (const text of ['', 'yes', 'TRUE', '1']) {
  test(`"${text}" neither cordons nor drains, and it is said`, () => {
    const settings = settingsOf({ [cordonedAnnotation]: text, [drainAnnotation]: text });
    assert.deepEqual([settings.cordoned, settings.draining, settings.problems.length], [false, false, 2]);
  });
}

test('a very long value is told in part', () => {
  const { problems } = settingsOf({ [weightAnnotation]: 'x'.repeat(10_000) });
  assert.ok((problems[0]?.length ?? 0) < 250);
});
