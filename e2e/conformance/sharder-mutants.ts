import { type Mutant, mutantOf as mutant } from './mutants.ts';

const moves = 'sharder/moves';
const givenUp = `${moves}/given-up-shards.ts`;
const ringMover = `${moves}/ring-mover.ts`;
const drains = `${moves}/drains.ts`;
const moveOwner = `${moves}/move-owner.ts`;
const admission = 'sharder/webhook/admission.ts';
const model = 'sharder/model';
const lateLabels = `${model}/late-labels.test.ts`;
const takenBack = `${model}/taken-back.test.ts`;
const crash = `${model}/leader-crash.test.ts`;

/** The rules of the sharder, most under the name of the formal model's counterexample that shows why it is there. */
export const sharderMutants: Mutant[] = [
  mutant(givenUp, lateLabels, 'what a sharder with an older view sends')(
    'flaw-list-once: a dead shard’s objects are listed again when nobody can act on an older view',
    'at: due.last ? Infinity : clock.monotonic() + settleMs',
    'at: Infinity',
  ),
  mutant(ringMover, lateLabels, 'whatever is found on a dead shard')(
    'flaw-list-once: and once more before the Lease is deleted',
    'if (await isShardEmpty(this.#moves, shard, signal)) return true;',
    'if (signal.aborted || shard !== "") return true;',
  ),
  mutant(admission, lateLabels, 'an object that a webhook with an older view')(
    'flaw-list-once-webhook: a webhook whose view is too old answers nothing',
    "if (ageMs > viewMaxAgeMs) return { outcome: 'stale' };",
    '',
  ),
  mutant(admission, `${model}/foreign-update.test.ts`, 'an update after a foreign shard let go')(
    'flaw-webhook-update: an owner that was let go is not placed before what it controls',
    "return hasControlled ? { outcome: 'left-to-sharder' } : decideNew(subject, snapshot, hasher);",
    'return decideNew(subject, snapshot, hasher);',
  ),
  mutant(drains, takenBack, 'a move that is taken back')(
    'flaw-cancel: a move is taken back by the shard, not by taking the drain label off',
    '[drainLabel(scope.ring)]: to,',
    '[drainLabel(scope.ring)]: to === object.metadata.labels?.[shardLabel(scope.ring)] ? undefined : to,',
  ),
  mutant('shared/sharding/hand-over.ts', takenBack, 'a move to another target')(
    'flaw-live-children: what is on the first target already goes along to the second',
    '      this.#live.add(uid);\n      for (const child',
    '      for (const child',
  ),
  mutant(ringMover, `${model}/converges.test.ts`, 'a controlled object that a sharder with an older view')(
    'flaw-persist: what is left behind is looked for',
    '      (signal) => sweep.sweep(signal),\n',
    '',
  ),
  mutant(moveOwner, crash, 'a shard leaves')(
    'a leader that dies leaves no owner that was moved before what it controls',
    'let changed = false;',
    "let changed = (await writer.relabel(resource, owner, { [label]: to, [drain]: undefined })) !== 'done';",
  ),
];
