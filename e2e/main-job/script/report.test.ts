import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type StepResult, stepLine, violationLine } from './report.ts';

const result: StepResult = {
  name: 'join',
  done: 'checksum-4 joined',
  movedSecrets: 75,
  movedConfigMaps: 74,
  tookMs: 1234,
  longest: undefined,
  leader: 'sharder-1',
};

test('a step is told in one line: what was done, what moved, how long it took', () => {
  assert.equal(
    stepLine(result),
    'join      checksum-4 joined; at rest after 1.2 s, 75 Secrets and 74 ConfigMaps moved, ' +
      'longest without a live shard 0.0 s; sharder-1 leads',
  );
});

test('a step in which nothing moved, an object that waited, nobody who leads', () => {
  const line = stepLine({
    ...result,
    movedSecrets: 0,
    movedConfigMaps: 0,
    longest: { object: 'test/u', ms: 1840 },
    leader: '',
  });
  assert.match(line, /, nothing moved, longest without a live shard 1\.8 s \(test\/u\); nobody leads$/);
});

test('one is not many', () => {
  assert.match(
    stepLine({ ...result, movedSecrets: 1, movedConfigMaps: 1 }),
    / 1 Secret and 1 ConfigMap moved/,
  );
});

test('a broken rule is told with its object and its time', () => {
  const violation = { rule: 'pairs', at: 1500.25, object: 'test/c', message: 'they differ' } as const;
  assert.equal(violationLine(violation), 'BROKEN pairs: test/c: they differ (at 1500.3 ms)');
});
