import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { type RingFigures, sharderMetrics } from './sharder-metrics.ts';

const secrets = { group: '', resource: 'secrets' };

/** Everything there is of a ring, with one shard. */
function fill(metrics: ReturnType<typeof sharderMetrics>, controllerring: string): () => void {
  const labels = { controllerring, ...secrets };
  metrics.assigned(labels);
  metrics.assigned({ controllerring, group: 'apps', resource: 'deployments' });
  metrics.moved(labels);
  metrics.drained(labels);
  metrics.calculated(controllerring);
  metrics.moveTook(controllerring, 'living', 1_000);
  metrics.moveTook(controllerring, 'given-up', 1_000);
  metrics.planned(controllerring, 1_000);
  const count = [{ ...secrets, count: 1 }];
  const end = metrics.observeMoves(controllerring, () => ({
    unassigned: count,
    draining: count,
    overdue: count,
  }));
  metrics.loaded(controllerring, [{ shard: 'a', load: 3, share: 2 }]);
  return end;
}

const figuresOf = (ring: string, ...shards: string[]): RingFigures => ({
  ring,
  metadataGeneration: 1,
  observedGeneration: 1,
  shards: shards.map((shard) => ({ shard, namespace: 'default', state: 'ready' })),
  availableShards: shards.length,
});

test('a ring that is gone leaves no series behind, and takes no other ring’s', async () => {
  const registry = new Registry();
  const rings = new Map([
    ['gone', figuresOf('gone', 'a')],
    ['other', figuresOf('other', 'a')],
  ]);
  const metrics = sharderMetrics(registry, () => [...rings.values()]);
  const endOfMoves = fill(metrics, 'gone');
  fill(metrics, 'other');
  const before = await registry.metrics();
  rings.delete('gone');
  endOfMoves();
  metrics.forget('gone');
  const after = await registry.metrics();
  assert.doesNotMatch(after, /controllerring="gone"/);
  const ofOther = (text: string): string[] =>
    text.split('\n').filter((line) => line.includes('controllerring="other"'));
  assert.deepEqual(ofOther(after), ofOther(before));
  assert.ok(ofOther(after).length > 20);
});

test('a shard that is gone leaves no series behind', async () => {
  const registry = new Registry();
  let figures = figuresOf('ring', 'a', 'b');
  const metrics = sharderMetrics(registry, () => [figures]);
  fill(metrics, 'ring');
  assert.match(await registry.metrics(), /shard="a"/);
  figures = figuresOf('ring', 'b');
  metrics.loaded('ring', [{ shard: 'b', load: 3, share: 3 }]);
  assert.doesNotMatch(await registry.metrics(), /shard="a"/);
});

test('loads of a ring that this process moves nothing of are not told', async () => {
  const registry = new Registry();
  const metrics = sharderMetrics(registry, () => []);
  metrics.loaded('ring', [{ shard: 'a', load: 3, share: 2 }]);
  assert.doesNotMatch(await registry.metrics(), /shard_load{/);
});

test('the state of a shard is 1 for the one that it is in', async () => {
  const registry = new Registry();
  sharderMetrics(registry, () => [figuresOf('ring', 'a')]);
  const states = (await registry.metrics()).split('\n').filter((line) => line.includes('shard_state{'));
  assert.equal(states.length, 5);
  for (const line of states) assert.equal(line.endsWith(' 1'), line.includes('state="ready"'), line);
});
