import { type Mutant, mutantOf as mutant } from './mutants.ts';

const sharding = 'shared/sharding';
const claim = `${sharding}/shard-claim.ts`;
const handOver = `${sharding}/hand-over.ts`;
const memory = `${sharding}/hand-over-memory.ts`;
const writer = `${sharding}/fenced-writer.ts`;
const reconciles = `${sharding}/shard-reconciles.ts`;
const settling = `${sharding}/shard-settling.test.ts`;
const handOverTest = `${sharding}/hand-over.test.ts`;
const late = `${sharding}/model/late-writes.test.ts`;
const views = `${sharding}/model/views.test.ts`;
const several = `${sharding}/several-controllers.test.ts`;
const fence = 'shared/lease/write-fence.ts';

/** The rules of a shard, each under the name of the formal model's counterexample that shows why it is there. */
export const shardMutants: Mutant[] = [
  mutant(
    claim,
    'sharder/model/returning-name.test.ts',
    'a name that is released and taken again works on nothing',
  )(
    'flaw-settle: a name that was given up settles before it is used again',
    "if (holder === '' || holder === sharderHolder) return take(settle);",
    "if (holder === '' || holder === sharderHolder) return take(atOnce);",
  ),
  mutant(claim, settling, 'a process waits while another one of its name renews')(
    'flaw-same-name: of two processes of one name one works',
    "if (unchangedMs < durationMsOf(lease)) return { kind: 'wait' };",
    '',
  ),
  mutant(handOver, late, 'flaw-patch-rv')(
    'flaw-patch-rv: a last patch names the version that it was decided on',
    'const patch = labelPatch(owner, changes, { resourceVersion: true });',
    'const patch = labelPatch(owner, changes);',
  ),
  mutant(memory, views, 'flaw-no-memory')(
    'flaw-no-memory: older versions of what was handed over are ignored',
    'if (behind) this.#from.set(uid, resourceVersion);',
    'if (behind) this.#from.delete(uid);',
  ),
  mutant(memory, views, 'flaw-memory-deleted')(
    'flaw-memory-deleted: any newer version is believed',
    "if (compareResourceVersions(cached.metadata.resourceVersion ?? '0', from) < 0) return 'stale';",
    "if (from !== '') return 'stale';",
  ),
  mutant(handOver, views, 'flaw-resolve')(
    'flaw-resolve: a last patch of unknown fate is looked at first',
    'if (!(error instanceof FencedError)) memory.unresolved(uid, cached(main, objectKey(owner.metadata)));',
    '',
  ),
  mutant(handOver, handOverTest, 'a cancel, a drain that names the present shard')(
    'flaw-cancel: a hand-over that is taken back brings the controlled objects back',
    'for (const child of children) await this.#relabelControlled(child, to);',
    'for (const child of children) if (to !== shard) await this.#relabelControlled(child, to);',
  ),
  mutant(handOver, handOverTest, 'after a re-target the controlled objects are read live')(
    'flaw-live-children: after the first attempt controlled objects are read live',
    '      this.#live.add(uid);\n      for (const child',
    '      for (const child',
  ),
  mutant(writer, views, 'flaw-uid')(
    'flaw-uid: an update names the object and the version that were read',
    'client.update(resource, body, options)',
    'client.update(resource, { ...body, metadata: { ...body.metadata, resourceVersion: undefined, uid: undefined } }, options)',
  ),
  mutant(writer, late, 'late-none')(
    'late-none, late-rv-create: a write holds its object until it can no longer land',
    'await clock.sleep(Math.max(0, sentAt + timeoutMs + serverGraceMs - clock.monotonic()));',
    '',
  ),
  mutant(writer, late, 'late-label: an update that names no version')(
    'late-label: an update without a version is not sent',
    'if (!object.metadata.resourceVersion) throw unconditional(resource, object);\n        const follows',
    'const follows',
  ),
  mutant(claim, settling, 'a restarted process of the same pod')(
    'late-rv-restart: a process that starts again waits for what the one before it has sent',
    'beforeReconcileMs: samePodDelayMs',
    'beforeReconcileMs: 0',
  ),
  mutant(fence, 'shared/lease/write-fence.test.ts', 'whatever the duration, no write')(
    'late-rv-untouched-child: no write outlives the Lease under which it began',
    'Math.floor(Math.min(longestWriteMs, end - this.#clock.monotonic()))',
    'longestWriteMs',
  ),
  mutant(reconciles, several, 'an object is not handed over while the controller for what')(
    'an object waits for the controllers of what it controls',
    "const uids = reach.map((each) => each.object.metadata.uid ?? '');",
    "const uids = [object.metadata.uid ?? ''];",
  ),
  mutant(reconciles, several, 'an object is not handed over while the first of two')(
    'an object waits for its own controllers',
    "const uids = reach.map((each) => each.object.metadata.uid ?? '');",
    "const uids = above.known.map((each) => each.object.metadata.uid ?? '');",
  ),
  mutant(`${sharding}/shard-handlers.ts`, several, 'a controlled object that left and came back')(
    'what was put off while the cache was behind is reconciled later',
    "else if (isDrained(ring, old) || memory.belief(old) !== 'current')",
    'else if (isDrained(ring, old))',
  ),
];
