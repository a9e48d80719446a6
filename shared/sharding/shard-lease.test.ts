import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from '../kube/resources.ts';
import { silentLogger } from '../runtime/logger.ts';
import { connectionError } from '../testing/api-faults.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryApi } from '../testing/memory-api.ts';
import { invalidShardName, settlingAnnotation } from './contract.ts';
import { acquireShardLease } from './shard-lease.ts';

const options = (api: MemoryApi, clock: FakeClock, shard: string, inUse = false) => ({
  client: api,
  clock,
  logger: silentLogger,
  ring: 'ring',
  shard,
  namespace: 'default',
  identity: 'pod-1',
  nameInUse: () => Promise.resolve(inUse),
});
const never = new AbortController().signal;

test('a name that fits no label, or no Lease, is refused before anything is asked', async () => {
  for (const name of ['', 'A', 'a_b', '-a', 'a-', 'a..b', 'x'.repeat(64), 'shardlease-controller', 'a/b']) {
    const clock = new FakeClock();
    const api = new MemoryApi(clock);
    await assert.rejects(acquireShardLease(options(api, clock, name), never), /shard name/);
    assert.equal(api.requests.length, 0);
  }
  for (const name of ['a', '0', 'a-b.c-1', 'x'.repeat(63)]) assert.equal(invalidShardName(name), undefined);
});

test('of two processes of one name that start at once, one holds it', async () => {
  const clock = new FakeClock();
  const api = new MemoryApi(clock);
  let held = 0;
  for (const identity of ['pod-1', 'pod-2']) {
    void acquireShardLease({ ...options(api, clock, 'a'), identity }, never).then(async (acquired) => {
      held += 1;
      await acquired.held.keep(never);
    });
  }
  await clock.advance(60_000);
  assert.equal(held, 1);
});

test('a claim that settles, whose answer was lost, settles all the same', async () => {
  const clock = new FakeClock();
  const api = new MemoryApi(clock);
  api.fault({ on: ({ verb }) => verb === 'create', error: connectionError(), effect: true });
  const acquiring = acquireShardLease(options(api, clock, 'a', true), never);
  await clock.advance(1_000);
  const { settling } = await acquiring;
  assert.equal(settling.beforeListMs, 11_000);
  const { metadata } = api.peek(leases, { namespace: 'default', name: 'a' }) ?? {};
  assert.equal(metadata?.annotations?.[settlingAnnotation], 'true');
});
