import assert from 'node:assert/strict';
import { test } from 'node:test';
import { events } from '../kube/resources.ts';
import type { KubeObject } from '../kube/types.ts';
import { silentLogger } from '../runtime/logger.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryApi } from '../testing/memory-api.ts';
import { EventRecorder, type ObjectEvent } from './event-recorder.ts';

interface Written extends KubeObject {
  note: string;
  series?: { count: number };
  regarding: { kind: string; name: string; uid: string };
}

const regarding: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'default', uid: 'u-1' },
};
const event: ObjectEvent = {
  regarding,
  type: 'Warning',
  reason: 'Odd',
  action: 'Ignore',
  note: 'It is odd.',
};

function fixture(t: { after(end: () => Promise<void>): void }) {
  const clock = new FakeClock();
  const api = new MemoryApi(clock);
  const recorder = new EventRecorder({
    client: api,
    clock,
    logger: silentLogger,
    controller: 'example.com/test',
    instance: 'test-1',
  });
  const stop = new AbortController();
  const running = recorder.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
  });
  return { clock, api, recorder, written: () => api.all<Written>(events) };
}

test('an event is written in the namespace of its object, and names it', async (t) => {
  const { clock, recorder, written } = fixture(t);
  recorder.record(event);
  await clock.advance(100);
  const [only, ...others] = written();
  assert.deepEqual(others, []);
  assert.equal(only?.metadata.namespace, 'default');
  assert.equal(only?.note, 'It is odd.');
  assert.equal(only?.regarding.uid, 'u-1');
});

test('the same event again is counted, and told of every five minutes', async (t) => {
  const { clock, api, recorder, written } = fixture(t);
  for (let minute = 0; minute < 6; minute += 1) {
    recorder.record(event);
    await clock.advance(60_000);
  }
  assert.equal(written().length, 1);
  assert.equal(written()[0]?.series?.count, 6);
  assert.equal(api.writes().length, 2);
});

test('an event that was deleted meanwhile is written anew', async (t) => {
  const { clock, api, recorder, written } = fixture(t);
  recorder.record(event);
  await clock.advance(300_000);
  for (const { metadata } of written()) api.remove(events, metadata);
  recorder.record(event);
  await clock.advance(1_000);
  assert.equal(written().length, 1);
});

test('events of cluster-scoped objects are written to the default namespace', async (t) => {
  const { clock, recorder, written } = fixture(t);
  recorder.record({ ...event, regarding: { kind: 'Node', metadata: { name: 'n' } } });
  await clock.advance(100);
  assert.equal(written()[0]?.metadata.namespace, 'default');
});

test('a note is cut at 1,024 bytes, between characters', async (t) => {
  const { clock, recorder, written } = fixture(t);
  recorder.record({ ...event, note: 'ä'.repeat(2_000) });
  await clock.advance(100);
  const note = written()[0]?.note ?? '';
  assert.ok(Buffer.byteLength(note) <= 1_024);
  assert.match(note, /^ä+…$/);
});

test('an API server that takes no events costs nothing but the events', async (t) => {
  const { clock, api, recorder, written } = fixture(t);
  api.fault({ on: ({ verb }) => verb === 'create', times: 1, error: new Error('no') });
  recorder.record(event);
  recorder.record({ ...event, reason: 'Other' });
  await clock.advance(1_000);
  assert.deepEqual(
    written().map(({ note }) => note),
    ['It is odd.'],
  );
});

test('what is remembered and what waits is bounded', async (t) => {
  const { clock, api, recorder } = fixture(t);
  for (let number = 0; number < 3_000; number += 1) recorder.record({ ...event, note: `odd ${number}` });
  await clock.advance(120_000);
  assert.equal(api.writes('create').length, 1_000);
});
