import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import { controllerRings } from '@controller-sharding/shared/kube/resources.ts';
import type { ControllerRing } from '@controller-sharding/shared/sharding/controller-ring.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { MemoryApi } from '@controller-sharding/shared/testing/memory-api.ts';
import type { RingFacts } from './ring-status.ts';
import { StatusWriter } from './status-writer.ts';

const ref = { name: 'ring' };
const signal = AbortSignal.timeout(60_000);
const fine: RingFacts = {
  shards: 3,
  availableShards: 2,
  missing: [],
  rights: [],
  duplicates: [],
  unassigned: 0,
  draining: 0,
  overdue: 0,
};

function start() {
  const clock = new FakeClock();
  const api = new MemoryApi(clock, { resources: [{ ...controllerRings, statusSubresource: true }] });
  const seeded = api.seed<ControllerRing>(controllerRings, { metadata: ref });
  const told: string[] = [];
  const events = {
    record: ({ type, reason }: { type: string; reason: string }) => void told.push(`${type} ${reason}`),
  };
  const writer = new StatusWriter({ client: api, clock, events });
  const stored = (): ControllerRing => api.peek<ControllerRing>(controllerRings, ref) ?? seeded;
  const message = (): string | undefined => stored().status?.conditions?.[0]?.message;
  return { api, clock, told, writer, stored, message, seeded };
}

test('a status is written where it differs, and each new reason is told by an Event', async () => {
  const { api, told, writer, stored } = start();
  await writer.write(stored(), fine, signal);
  await writer.write(stored(), fine, signal);
  assert.equal(api.writes().length, 1);
  await writer.write(stored(), { ...fine, availableShards: 0 }, signal);
  await writer.write(stored(), { ...fine, shards: 2, availableShards: 0 }, signal);
  await writer.write(stored(), fine, signal);
  assert.equal(api.writes().length, 4);
  assert.deepEqual(told, ['Normal Sharded', 'Warning NoShard', 'Normal Sharded']);
});

test('how many objects are on the move is written every ten seconds at most', async () => {
  const { clock, writer, stored, message } = start();
  await writer.write(stored(), fine, signal);
  await writer.write(stored(), { ...fine, draining: 1 }, signal);
  assert.doesNotMatch(message() ?? '', /on the move/);
  await clock.advance(10_000);
  await writer.write(stored(), { ...fine, draining: 2 }, signal);
  assert.match(message() ?? '', /2 on the move/);
});

test('what was written last counts while the view of the ring is behind', async () => {
  const { api, writer, seeded } = start();
  await writer.write(seeded, fine, signal);
  await writer.write(seeded, fine, signal);
  assert.equal(api.writes().length, 1);
});

test('a status that somebody else changed is written again', async () => {
  const { api, writer, stored } = start();
  await writer.write(stored(), fine, signal);
  api.change<ControllerRing>(controllerRings, ref, (ring) => {
    ring.status = { shards: 99, availableShards: 0 };
  });
  await writer.write(stored(), fine, signal);
  assert.equal(stored().status?.shards, 3);
});

test('a ring that is gone is no failure, any other refusal is', async () => {
  const { api, writer, stored, seeded } = start();
  api.fault({ on: ({ verb }) => verb === 'patch', error: new ApiError(403, 'Forbidden', 'no') });
  await assert.rejects(writer.write(stored(), fine, signal), /no/);
  api.remove(controllerRings, ref);
  await writer.write(seeded, fine, signal);
});
