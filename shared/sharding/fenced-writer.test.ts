import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, secrets } from '../kube/resources.ts';
import type { KubeObject } from '../kube/types.ts';
import { FencedError, WriteFence } from '../lease/write-fence.ts';
import { type ApiRequest, connectionError } from '../testing/api-faults.ts';
import { FencedWriter } from './fenced-writer.ts';
import type { ShardEvent } from './shard-event.ts';
import { assigned, controlledBy, ref, ring, ShardWorld } from './shard-fixture.ts';

/** Tells whether the promise has settled. */
function settled(promise: Promise<unknown>): () => boolean {
  let done = false;
  const end = (): void => {
    done = true;
  };
  promise.then(end, end);
  return () => done;
}

function start() {
  const { api, clock } = new ShardWorld();
  const owner = api.seed<KubeObject>(secrets, { metadata: ref('owner') });
  const fence = new WriteFence(clock, 15_000);
  fence.renewed(0);
  const events: ShardEvent[] = [];
  const created: KubeObject[] = [];
  /** Uids of what the owner controls. */
  const tree = new Set<string>();
  let unsure = 0;
  const writer = new FencedWriter({
    client: api,
    clock,
    fence,
    ring,
    shard: 'a',
    observer: (event) => events.push(event),
    includes: ({ metadata }, uid) => uid === metadata.uid || tree.has(uid),
    follows: ({ resource }) => resource === 'configmaps',
    created: (_owner, _resource, object) => created.push(object),
    perhapsCreated: () => {
      unsure += 1;
    },
  });
  return { api, clock, owner, fence, events, created, tree, unsure: () => unsure, writer };
}

const creation = ({ verb }: ApiRequest): boolean => verb === 'create';

test('the owner stays on its shard, even if an update of it leaves the labels out', async () => {
  const { api, owner, writer } = start();
  api.label(secrets, ref('owner'), { [assigned]: 'a', theirs: 'x' });
  const read = api.peek<KubeObject>(secrets, ref('owner'));
  assert(read);
  const { labels: _, ...metadata } = read.metadata;
  const updated = await writer.for(owner).update<KubeObject>(secrets, { ...read, metadata });
  assert.deepEqual(updated.metadata.labels, { [assigned]: 'a' });
  const other = api.seed<KubeObject>(secrets, { metadata: ref('other') });
  assert.equal((await writer.for(owner).update(secrets, other)).metadata.labels, undefined);
});

test('an object that the owner controls is created with the shard label, any other without', async () => {
  const { created, owner, writer } = start();
  const child = await writer.for(owner).create(configMaps, controlledBy(owner, 'child', { own: '1' }));
  assert.deepEqual(child.metadata.labels, { own: '1', [assigned]: 'a' });
  const other = await writer.for(owner).create<KubeObject>(configMaps, { metadata: ref('other') });
  assert.equal(other.metadata.labels, undefined);
  assert.deepEqual(
    created.map(({ metadata }) => metadata.name),
    ['child', 'other'],
  );
});

test('so is one that is applied', async () => {
  const { created, owner, writer } = start();
  const body = controlledBy(owner, 'child');
  const patch = { type: 'apply' as const, body, fieldManager: 'test' };
  const child = await writer.for(owner).patch(configMaps, ref('child'), patch);
  assert.equal(child.metadata.labels?.[assigned], 'a');
  assert.equal(created.length, 1);
});

test('no write starts once the Lease was not renewed in time, and none is told of', async () => {
  const { api, clock, events, owner, writer } = start();
  await clock.advance(10_000);
  const before = api.requests.length;
  const writes = writer.for(owner);
  await assert.rejects(writes.create(configMaps, controlledBy(owner, 'child')), FencedError);
  await assert.rejects(writes.update(secrets, owner), FencedError);
  await assert.rejects(writes.patch(secrets, ref('owner'), { type: 'merge', body: {} }), FencedError);
  await assert.rejects(writes.delete(secrets, ref('owner'), { uid: 'uid-1' }), FencedError);
  await assert.rejects(
    async () => writer.relabel(secrets, ref('owner'), { type: 'json', operations: [] }),
    FencedError,
  );
  assert.equal(api.requests.length, before);
  assert.deepEqual(events, []);
});

test('a write has a deadline of 4 s', async () => {
  const { api, clock, owner, writer } = start();
  await clock.advance(9_999);
  await writer.for(owner).create(configMaps, controlledBy(owner, 'child'));
  assert.equal(api.writes().at(-1)?.timeoutMs, 4_000);
});

test('a write that timed out, or whose connection broke, is held until its deadline at the API server has passed', async () => {
  for (const fault of [{ delayMs: 60_000 }, { error: connectionError() }]) {
    const { api, clock, owner, writer } = start();
    api.fault({ on: creation, ...fault });
    const writing = settled(writer.for(owner).create(configMaps, controlledBy(owner, 'child')));
    const idle = settled(writer.idle(owner.metadata.uid ?? ''));
    await clock.advance(4_499);
    assert.equal(writing(), false);
    assert.equal(idle(), false);
    await clock.advance(1);
    assert.equal(writing(), true);
    assert.equal(idle(), true);
  }
});

test('a write that the API server refused has ended', async () => {
  const { api, clock, owner, unsure, writer } = start();
  api.seed(configMaps, { metadata: ref('child') });
  const writing = settled(writer.for(owner).create(configMaps, controlledBy(owner, 'child')));
  await clock.advance(0);
  assert.equal(writing(), true);
  assert.equal(unsure(), 0);
});

test('an object of which it is not known whether it was created is told of', async () => {
  const { api, clock, created, owner, unsure, writer } = start();
  api.fault({ on: creation, error: connectionError(), effect: true });
  const writing = assert.rejects(writer.for(owner).create(configMaps, controlledBy(owner, 'child')));
  await clock.advance(5_000);
  await writing;
  assert.equal(unsure(), 1);
  assert.equal(created.length, 0);
});

test('idle waits for every write of that owner, and for no other', async () => {
  const { api, clock, owner, writer } = start();
  const other = api.seed<KubeObject>(secrets, { metadata: ref('other') });
  api.fault({ on: ({ object }) => object === 'default/one', delayMs: 1_000 });
  api.fault({ on: ({ object }) => object === 'default/two', delayMs: 2_000 });
  void writer.for(owner).create(configMaps, controlledBy(owner, 'one'));
  void writer.for(owner).create(configMaps, controlledBy(owner, 'two'));
  const idle = settled(writer.idle(owner.metadata.uid ?? ''));
  await writer.idle(other.metadata.uid ?? '');
  await clock.advance(1_999);
  assert.equal(idle(), false);
  await clock.advance(1);
  assert.equal(idle(), true);
});

test('every write is told of at its begin and end, with the owner it is done for', async () => {
  const { events, owner, writer } = start();
  await writer.for(owner).create(configMaps, controlledBy(owner, 'child'));
  await assert.rejects(writer.for(owner).create(configMaps, controlledBy(owner, 'child')));
  const about = {
    verb: 'create',
    resource: 'configmaps',
    object: 'default/child',
    owner: owner.metadata.uid,
  };
  const [begin, end, again, failed] = events;
  assert.deepEqual(begin, { event: 'write-begin', ...about });
  assert(end?.event === 'write-end' && end.resourceVersion !== undefined);
  assert.deepEqual(again, { event: 'write-begin', ...about });
  assert(failed?.event === 'write-end' && failed.error !== undefined);
});

test('an update without the resourceVersion that was read is refused', async () => {
  const { api, owner, writer } = start();
  const { resourceVersion: _, ...metadata } = api.seed<KubeObject>(configMaps, {
    metadata: ref('child'),
  }).metadata;
  const before = api.requests.length;
  await assert.rejects(
    writer.for(owner).update(configMaps, { metadata }),
    /configmaps default\/child can't be updated without a resourceVersion/,
  );
  assert.equal(api.requests.length, before);
});

test('what is controlled by something that the owner controls gets the shard label, too', async () => {
  const { api, owner, tree, writer } = start();
  const middle = api.seed<KubeObject>(configMaps, controlledBy(owner, 'middle'));
  tree.add(middle.metadata.uid ?? '');
  const below = await writer.for(owner).create(configMaps, controlledBy(middle, 'below'));
  assert.deepEqual(below.metadata.labels, { [assigned]: 'a' });
  const strange = await writer.for(owner).create(configMaps, controlledBy(below, 'strange'));
  assert.deepEqual(strange.metadata.labels ?? {}, {}, 'as far as it is known');
});

test('an object that the owner adopts by an update comes to its shard with that write', async () => {
  const { api, created, owner, writer } = start();
  const found = api.seed<KubeObject>(configMaps, {
    metadata: { ...ref('child'), labels: { [assigned]: 'b' } },
  });
  const { ownerReferences } = controlledBy(owner, 'child').metadata;
  const metadata = { ...found.metadata, ...(ownerReferences && { ownerReferences }) };
  const written = await writer.for(owner).update(configMaps, { ...found, metadata });
  assert.deepEqual(written.metadata.labels, { [assigned]: 'a' });
  assert.equal(api.writes().length, 1);
  assert.deepEqual(
    created.map(({ metadata: { name } }) => name),
    ['child'],
    'and a hand-over knows of it',
  );
});

test('one that it adopts by a patch comes with a second one', async () => {
  const { api, created, owner, writer } = start();
  const { ownerReferences } = controlledBy(owner, 'child').metadata;
  for (const labels of [{ [assigned]: 'b' }, undefined]) {
    api.seed<KubeObject>(configMaps, { metadata: { ...ref('child'), ...(labels && { labels }) } });
    const patch = { type: 'merge' as const, body: { metadata: { ownerReferences } } };
    const written = await writer.for(owner).patch(configMaps, ref('child'), patch);
    assert.deepEqual(written.metadata.labels, { [assigned]: 'a' });
    assert.deepEqual(api.peek(configMaps, ref('child'))?.metadata.labels, { [assigned]: 'a' });
    assert.equal(created.length, 1);
    api.remove(configMaps, ref('child'));
    created.length = 0;
  }
});

test('neither an object that the owner does not control nor a main object is given a label by a change', async () => {
  const { api, owner, writer } = start();
  const free = api.seed<KubeObject>(configMaps, {
    metadata: { ...ref('free'), labels: { [assigned]: 'b' } },
  });
  const main = api.seed<KubeObject>(secrets, controlledBy(owner, 'main', { [assigned]: 'b' }));
  for (const [resource, object] of [
    [configMaps, free],
    [secrets, main],
  ] as const) {
    const writes = writer.for(owner);
    const updated = await writes.update(resource, object);
    const patch = { type: 'merge' as const, body: { metadata: { annotations: { x: '1' } } } };
    const patched = await writes.patch(resource, object.metadata, patch);
    assert.deepEqual([updated.metadata.labels?.[assigned], patched.metadata.labels?.[assigned]], ['b', 'b']);
  }
});
