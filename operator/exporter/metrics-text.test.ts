import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import { Slice } from '@controller-sharding/shared/runtime/event-loop.ts';
import * as fc from 'fast-check';
import { type Family, labelText, type MetricRow, metricsText } from './metrics-text.ts';

const row = (name: string): MetricRow => ({ identity: labelText({ name }) });

const family = (name: string, samples: Family<MetricRow>['samples']): Family<MetricRow> => ({
  name,
  help: `What ${name} means`,
  samples,
});

async function textOf(families: Family<MetricRow>[], rows: MetricRow[], slice = new Slice(systemClock)) {
  return (await Array.fromAsync(metricsText(families, rows, slice))).join('');
}

test('each family stands on its own, with its help, its type and all its samples', async () => {
  const families = [
    family('info', () => [{ labels: { kind: 'plain' }, value: 1 }]),
    family('generation', () => [{ value: 7 }]),
  ];
  assert.equal(
    await textOf(families, [row('a'), row('b')]),
    `# HELP info What info means
# TYPE info gauge
info{name="a",kind="plain"} 1
info{name="b",kind="plain"} 1
# HELP generation What generation means
# TYPE generation gauge
generation{name="a"} 7
generation{name="b"} 7
`,
  );
});

test('a value can neither end its label nor its line', () => {
  const hostile = 'a"} 1\nkube_website_info{website="b\\"';
  assert.equal(labelText({ theme: hostile }), 'theme="a\\"} 1\\nkube_website_info{website=\\"b\\\\\\""');
  assert.equal(labelText({ font: `'Open Sans', Ünï\t` }), `font="'Open Sans', Ünï\t"`);
});

/** Labels as the format says that they are read. */
function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const match = /^(\w+)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=\w)|$)/.exec(rest);
    assert.ok(match, `not labels: ${rest}`);
    const [whole, name = '', value = ''] = match;
    labels[name] = value.replace(/\\(.)/g, (_all, character: string) =>
      character === 'n' ? '\n' : character,
    );
    rest = rest.slice(whole.length);
  }
  return labels;
}

test('all values can be read again as they are', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('\\', '"', '\n', ',', '}', 'n', 'a') }),
  );
  fc.assert(
    fc.property(value, value, (one, other) => {
      assert.deepEqual(readLabels(labelText({ one, other })), { one, other });
    }),
  );
});

test('50,000 objects are written a slice at a time, between which the event loop goes on', async () => {
  const [objectMs, sliceMs] = [0.01, 5];
  let nowMs = 0;
  let turnMs = 0;
  let longestTurnMs = 0;
  const work = family('work', () => {
    nowMs += objectMs;
    turnMs += objectMs;
    longestTurnMs = Math.max(longestTurnMs, turnMs);
    return [{ value: 1 }];
  });
  const newTurn = (): void => {
    turnMs = 0;
    turn = setImmediate(newTurn);
  };
  let turn = setImmediate(newTurn);
  const rows = Array.from({ length: 50_000 }, (_, index) => row(`website-${index}`));
  const slice = new Slice({ ...systemClock, monotonic: () => nowMs }, sliceMs);
  const text = await textOf([work, work], rows, slice);
  clearImmediate(turn);
  assert.equal(text.split('\nwork{').length - 1, 100_000);
  assert.ok(nowMs > 999, `${nowMs} ms of work`);
  assert.ok(longestTurnMs <= sliceMs + 2 * objectMs, `${longestTurnMs} ms at once`);
});
