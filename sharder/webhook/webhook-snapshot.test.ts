import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { RingShards } from '../membership/ring-shards.ts';
import type { RingScope } from '../rings/ring-scope.ts';
import type { KnownRing } from '../rings/rings.ts';
import { WebhookSnapshots } from './webhook-snapshot.ts';

const scopeOf = (ring: string): RingScope => ({
  ring,
  mains: [{ resource: secrets, controlled: [configMaps] }],
  former: [],
  missing: [],
  selects: () => true,
});
const noShards = (): RingShards => ({ usable: [], ready: [], pinnable: new Set(), draining: [] });

function world() {
  const rings = new Map<string, KnownRing>([
    ['ring', { ring: { metadata: { name: 'ring' } }, scope: scopeOf('ring') }],
  ]);
  const membership = { shards: noShards(), ring: () => membership.shards, ageMs: 7 };
  return { rings, membership, snapshots: new WebhookSnapshots(rings, membership) };
}

test('a snapshot says which resources are main ones, and can’t be changed', () => {
  const snapshot = world().snapshots.get('ring');
  assert.equal(snapshot?.resources.get('secrets')?.main?.resource, secrets);
  assert.equal(snapshot.resources.get('configmaps')?.main, undefined);
  assert.ok(Object.isFrozen(snapshot));
});

test('it is made once for each change of the ring or of its shards', () => {
  const { rings, membership, snapshots } = world();
  const first = snapshots.get('ring');
  assert.equal(snapshots.get('ring'), first);
  membership.shards = noShards();
  const second = snapshots.get('ring');
  assert.notEqual(second, first);
  assert.equal(snapshots.get('ring'), second);
  rings.set('ring', { ring: { metadata: { name: 'ring' } }, scope: scopeOf('ring') });
  assert.notEqual(snapshots.get('ring'), second);
});

test('there is none for a ring that isn’t, or is no more', () => {
  const { rings, snapshots } = world();
  assert.ok(snapshots.get('ring'));
  rings.clear();
  assert.equal(snapshots.get('ring'), undefined);
  assert.equal(snapshots.get('__proto__'), undefined);
});

test('how old it is follows the membership, at each request', () => {
  const { membership, snapshots } = world();
  membership.ageMs = 5_001;
  assert.equal(snapshots.ageMs, 5_001);
});
