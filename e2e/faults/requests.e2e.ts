import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import {
  ApiError,
  isFateUnknown,
  messageOf,
  TransportError,
} from '@controller-sharding/shared/kube/errors.ts';
import { configMaps } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import { acquireLease } from '@controller-sharding/shared/lease/acquire-lease.ts';
import { type HeldLease, LeaseLostError } from '@controller-sharding/shared/lease/held-lease.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import type { FaultProxy } from '../fault-proxy/fault-proxy.ts';
import type { RequestKind } from '../fault-proxy/proxied-request.ts';
import { waitFor } from '../harness/wait-for.ts';
import { AcceleratedClock } from './accelerated-clock.ts';
import { forever, on } from './fault-case.ts';
import { FaultWorld } from './fixture.ts';
import { History } from './history.ts';
import { type Outcome, type RequestCase, requestCases, writes } from './request-cases.ts';

const concurrency = 8;
/** The default deadline of ten seconds is one second then. */
const speed = 10;

interface Client extends AsyncDisposable {
  proxy: FaultProxy;
  clock: AcceleratedClock;
  client: KubeClient;
  transport: Transport;
}

async function clientOf(world: FaultWorld, maxConnections?: number): Promise<Client> {
  const { proxy, kubeconfig } = await world.proxy();
  const clock = new AcceleratedClock(speed);
  const transport = new Transport(loadKubeConfig({ kubeconfig }), { clock, maxConnections });
  return {
    proxy,
    clock,
    transport,
    client: new KubeClient(transport),
    [Symbol.asyncDispose]: async () => {
      await transport.close();
      await proxy.stop();
    },
  };
}

/** A Lease of 15 s, just acquired. */
async function acquired(
  world: FaultWorld,
  { client, clock }: Client,
  signal: AbortSignal,
): Promise<HeldLease> {
  const claim = { namespace: await world.namespace(), name: 'held', holder: 'me', durationSeconds: 15 };
  const options = { client, clock, logger: silentLogger, claim };
  const { held } = await acquireLease(options, () => ({ kind: 'take', how: 'created' }), signal);
  return held;
}

function outcomeOf(error: unknown): Outcome {
  if (error === undefined) return 'done';
  assert.ok(error instanceof ApiError || error instanceof TransportError, messageOf(error));
  if (isFateUnknown(error)) return 'unknown';
  return error instanceof ApiError ? 'refused' : 'not sent';
}

async function runWrite(world: FaultWorld, kind: RequestKind, requestCase: RequestCase): Promise<void> {
  const write = writes[kind];
  assert.ok(write);
  const { fault, outcome, message, sent, executed, times } = requestCase;
  const namespace = await world.namespace();
  await new History(world.direct, namespace).begin();
  const contents = await world.contents(namespace);
  await using connection = await clientOf(world);
  const { client, proxy } = connection;
  await client.get(configMaps, { namespace, name: 'a' }); // on a connection that is already there
  if (fault === 'connections refused') await proxy.refuse();
  else proxy.arm({ when: on(kind), times, fault });

  const error: unknown = await write(client, namespace).then(
    () => undefined,
    (caught: unknown) => caught,
  );
  assert.equal(outcomeOf(error), outcome, messageOf(error));
  if (message) assert.match(messageOf(error), message);
  assert.ok(proxy.received(kind) <= sent, `sent ${proxy.received(kind)} times`);
  assert.equal(proxy.forwarded(kind), executed);
  assert.equal(!isDeepStrictEqual(await world.contents(namespace), contents), executed === 1);
  if (typeof fault === 'object' && fault.kind === 'stall') {
    await waitFor('the stalled connection to be given up', () => proxy.connections === 0);
  }
}

describe('requests in spite of faults', { timeout: 180_000 }, () => {
  let world: FaultWorld;
  before(async () => {
    world = await FaultWorld.start();
  });
  after(() => world.stop(false));

  describe('a write', { concurrency }, () => {
    for (const kind of ['create', 'update', 'patch', 'delete'] as const) {
      for (const requestCase of requestCases) {
        if (requestCase.only?.includes(kind) === false) continue;
        test(`${kind}: ${requestCase.name}: ${requestCase.outcome}, sent at most ${requestCase.sent} times`, () =>
          runWrite(world, kind, requestCase));
      }
    }
  });

  test('a Lease is renewed while lists stall in every slot for requests', async () => {
    await using connection = await clientOf(world, 3);
    const { client, proxy } = connection;
    proxy.arm({ when: on('list'), times: forever, fault: { kind: 'stall', at: { bytes: 10 } } });
    const stop = new AbortController();
    const options = { timeoutMs: 60_000, signal: stop.signal };
    const lists = Array.from({ length: 6 }, () => client.listPage(configMaps, 'full', options));
    const listed = Promise.allSettled(lists);
    const held = await acquired(world, connection, stop.signal);
    const keeping = held.keep(stop.signal);
    let least = Number.POSITIVE_INFINITY;
    await waitFor('ten renewals', () => {
      least = Math.min(least, held.fence.startableMs);
      return proxy.received('update') >= 10;
    });
    assert.equal(proxy.received('list'), 3);
    assert.ok(least > 0, 'the Lease ran out meanwhile');
    stop.abort(new Error('enough'));
    await Promise.all([keeping, listed]);
  });

  test('a renewal that stalls is followed by another in time', async () => {
    await using connection = await clientOf(world);
    const { proxy } = connection;
    const stop = new AbortController();
    const held = await acquired(world, connection, stop.signal);
    const stalled = proxy.arm({ when: on('update'), fault: { kind: 'stall', at: 'request' } });
    const keeping = held.keep(stop.signal);
    await waitFor('the renewals that follow', () => stalled.over && proxy.forwarded('update') >= 3);
    assert.ok(held.fence.startableMs > 0);
    stop.abort(new Error('enough'));
    await keeping;
  });

  test('a Lease whose renewals all stall is given up in time', async () => {
    await using connection = await clientOf(world);
    const { clock, proxy } = connection;
    const stop = new AbortController();
    const began = clock.monotonic();
    const held = await acquired(world, connection, stop.signal);
    proxy.arm({ when: on('update'), times: forever, fault: { kind: 'stall', at: 'answer' } });
    await assert.rejects(held.keep(stop.signal), LeaseLostError);
    assert.ok(clock.monotonic() - began < 15_000, 'later than others may take it over');
    assert.ok(proxy.received('update') <= 5, `${proxy.received('update')} renewals`);
  });
});
