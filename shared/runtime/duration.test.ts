import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from './duration.ts';
import { UsageError } from './usage-error.ts';

const durations: [string, number][] = [
  ['0', 0],
  ['0s', 0],
  ['500ms', 500],
  ['15s', 15_000],
  ['5m', 300_000],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['.5s', 500],
  ['2h0m0.25s', 7_200_250],
  ['100us', 0.1],
  ['100µs', 0.1],
];
for (const [text, ms] of durations) {
  test(`${text} is ${ms} ms`, () => assert.equal(parseDuration('--x', text), ms));
}

for (const text of ['', '5', '-5s', '5 s', 's', '5d', '1m30', '1e3s', '.s', '5S']) {
  test(`"${text}" is refused, naming the flag`, () => {
    assert.throws(
      () => parseDuration('--sync-period', text),
      (error) => error instanceof UsageError && error.message.startsWith('--sync-period: '),
    );
  });
}
