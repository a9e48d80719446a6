import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WatchEvent } from './api-client.ts';
import type { KubeObject } from './types.ts';
import { WatchEvents } from './watch-events.ts';

const event = (name: string): WatchEvent<KubeObject> => ({ type: 'ADDED', object: { metadata: { name } } });

/** Pieces with these names; an Error is thrown in its place. */
function watching(...pieces: (string | Error)[][]) {
  let ended = false;
  function* eventsOf(piece: (string | Error)[]): Generator<WatchEvent<KubeObject>, void, undefined> {
    for (const name of piece) {
      if (name instanceof Error) throw name;
      yield event(name);
    }
  }
  async function* all(): AsyncGenerator<Generator<WatchEvent<KubeObject>, void, undefined>, void, undefined> {
    try {
      for (const piece of pieces) yield eventsOf(piece);
    } finally {
      ended = true;
    }
  }
  return { events: new WatchEvents(all()), ended: () => ended };
}

async function names(events: AsyncIterable<WatchEvent<KubeObject>>, most = 100): Promise<string[]> {
  const seen: string[] = [];
  for await (const each of events) {
    if (each.type !== 'BOOKMARK') seen.push(each.object.metadata.name);
    if (seen.length === most) break;
  }
  return seen;
}

test('the events of all pieces come in order, to the end', async () => {
  const { events, ended } = watching(['a', 'b'], [], [], ['c']);
  assert.deepEqual(await names(events), ['a', 'b', 'c']);
  assert.equal(ended(), true);
});

test('a consumer that stops within a piece ends the watch', async () => {
  const { events, ended } = watching(['a', 'b', 'c'], ['d']);
  assert.deepEqual(await names(events, 2), ['a', 'b']);
  assert.equal(ended(), true);
  assert.deepEqual(await events.next(), { done: true, value: undefined });
});

test('an error within a piece comes after the events before it, and ends the watch', async () => {
  const { events, ended } = watching(['a', new Error('gone'), 'b'], ['c']);
  assert.deepEqual(await events.next(), { done: false, value: event('a') });
  await assert.rejects(events.next(), { message: 'gone' });
  assert.equal(ended(), true);
});
