import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lease } from '../lease/lease.ts';
import {
  forcedAnnotation,
  handedOverAnnotation,
  identityAnnotation,
  ringLabel,
  settlingAnnotation,
  sharderHolder,
} from './contract.ts';
import { decideShardClaim, type Settling } from './shard-claim.ts';

const settle: Settling = { beforeListMs: 11_000, beforeReconcileMs: 0 };
const samePod: Settling = { beforeListMs: 0, beforeReconcileMs: 2_000 };
const atOnce: Settling = { beforeListMs: 0, beforeReconcileMs: 0 };

interface Found {
  holder: string;
  identity?: string;
  settling?: boolean;
  handedOver?: boolean;
  durationSeconds?: number;
  /** The sharder took it from a shard that renewed it. */
  forced?: boolean;
}

const leaseOf = ({
  holder,
  identity = 'pod-0',
  settling,
  handedOver,
  forced,
  durationSeconds = 15,
}: Found): Lease => ({
  metadata: {
    namespace: 'default',
    name: 'a',
    labels: { [ringLabel]: 'ring' },
    annotations: {
      [identityAnnotation]: identity,
      ...(settling && { [settlingAnnotation]: 'true' }),
      ...(handedOver && { [handedOverAnnotation]: 'true' }),
      ...(forced && { [forcedAnnotation]: 'true' }),
    },
  },
  spec: { holderIdentity: holder, leaseDurationSeconds: durationSeconds },
});

const decide = (found: Found | undefined, unchangedMs = 0, inUse = false) =>
  decideShardClaim({
    ring: 'ring',
    shard: 'a',
    identity: 'pod-1',
    lease: found && leaseOf(found),
    unchangedMs,
    nameInUse: () => Promise.resolve(inUse),
  });

interface Row {
  name: string;
  found: Found | undefined;
  unchangedMs?: number;
  inUse?: boolean;
  expected: Settling | 'wait';
}

const rows: Row[] = [
  { name: 'absent, and nothing carries the name', found: undefined, expected: atOnce },
  { name: 'absent, and an object carries the name', found: undefined, inUse: true, expected: settle },
  { name: 'released', found: { holder: '' }, expected: settle },
  { name: 'released by itself', found: { holder: '', identity: 'pod-1' }, expected: settle },
  { name: 'released, long ago', found: { holder: '' }, unchangedMs: 3_600_000, expected: settle },
  { name: 'released before it had settled', found: { holder: '', settling: true }, expected: settle },
  { name: 'handed over', found: { holder: '', handedOver: true }, expected: atOnce },
  {
    name: 'handed over before it had settled',
    found: { holder: '', handedOver: true, settling: true },
    expected: settle,
  },
  {
    name: 'handed over, and then taken over by the sharder',
    found: { holder: sharderHolder, handedOver: true },
    expected: settle,
  },
  {
    name: "another process's, with a mark that nobody took off",
    found: { holder: 'a', handedOver: true },
    expected: 'wait',
  },
  { name: 'taken over by the sharder', found: { holder: sharderHolder }, expected: settle },
  { name: 'taken over from itself', found: { holder: sharderHolder, identity: 'pod-1' }, expected: settle },
  {
    name: 'taken by force, less than its first duration ago',
    found: { holder: sharderHolder, forced: true, durationSeconds: 40 },
    unchangedMs: 19_999,
    expected: 'wait',
  },
  {
    name: 'taken by force, longer ago',
    found: { holder: sharderHolder, forced: true, durationSeconds: 40 },
    unchangedMs: 20_000,
    expected: settle,
  },
  {
    name: 'released, that once was taken by force',
    found: { holder: '', forced: true },
    expected: settle,
  },
  { name: 'its own', found: { holder: 'a', identity: 'pod-1' }, expected: samePod },
  {
    name: 'its own, long unchanged',
    found: { holder: 'a', identity: 'pod-1' },
    unchangedMs: 60_000,
    expected: samePod,
  },
  {
    name: 'its own, not settled yet',
    found: { holder: 'a', identity: 'pod-1', settling: true },
    expected: settle,
  },
  { name: "another process's, just seen", found: { holder: 'a' }, expected: 'wait' },
  { name: "another process's, renewing", found: { holder: 'a' }, unchangedMs: 14_999, expected: 'wait' },
  {
    name: "another process's, silent for its duration",
    found: { holder: 'a' },
    unchangedMs: 15_000,
    expected: atOnce,
  },
  {
    name: "another process's of a longer duration",
    found: { holder: 'a', durationSeconds: 60 },
    unchangedMs: 59_999,
    expected: 'wait',
  },
  {
    name: "another process's, silent before it had settled",
    found: { holder: 'a', settling: true },
    unchangedMs: 15_000,
    expected: settle,
  },
  { name: "a foreign holder's", found: { holder: 'x' }, unchangedMs: 14_999, expected: 'wait' },
  {
    name: "a foreign holder's of its own identity",
    found: { holder: 'x', identity: 'pod-1' },
    expected: 'wait',
  },
  { name: "a foreign holder's, silent", found: { holder: 'x' }, unchangedMs: 15_000, expected: settle },
];

for (const { name, found, unchangedMs, inUse, expected } of rows) {
  const verdict = expected === 'wait' ? 'waited for' : 'taken';
  test(`a Lease that is ${name} is ${verdict}`, async () => {
    const decision = await decide(found, unchangedMs, inUse);
    if (expected === 'wait') {
      assert.equal(decision.kind, 'wait');
      return;
    }
    assert(decision.kind === 'take');
    assert.deepEqual(decision.how, expected);
    const settling = expected === settle && { [settlingAnnotation]: 'true' };
    const marks = { [handedOverAnnotation]: undefined, ...settling };
    assert.deepEqual(decision.marks, marks, 'a claim that settles says so');
  });
}

test('whether the name is in use is asked only when there is no Lease', async () => {
  const input = { ring: 'ring', shard: 'a', identity: 'pod-1', unchangedMs: 60_000 };
  for (const holder of ['', 'a', 'x', sharderHolder]) {
    await decideShardClaim({ ...input, lease: leaseOf({ holder }), nameInUse: () => assert.fail('asked') });
  }
});

test('a Lease of another ring, or of none, is refused with a message, whoever holds it', async () => {
  for (const labels of [{ [ringLabel]: 'other' }, {}]) {
    for (const holder of ['', 'a']) {
      const lease = { ...leaseOf({ holder, identity: 'pod-1' }) };
      lease.metadata.labels = labels;
      const input = { ring: 'ring', shard: 'a', identity: 'pod-1', lease, unchangedMs: 60_000 };
      await assert.rejects(
        decideShardClaim({ ...input, nameInUse: () => Promise.resolve(false) }),
        /the Lease default\/a belongs to/,
      );
    }
  }
});
