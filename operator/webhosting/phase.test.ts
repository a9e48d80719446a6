import assert from 'node:assert/strict';
import { test } from 'node:test';
import { children } from './children.ts';
import { type Finding, phaseOf, statusOf } from './phase.ts';
import type { Deployment, Phase } from './resources.ts';
import { theme, website } from './website-fixture.ts';

const deployment = (status: Deployment['status'], generation = 2): Deployment => {
  const made = children(website(), theme(), { skipWorkload: false }).deployment;
  return { ...made, metadata: { ...made.metadata, generation }, ...(status && { status }) };
};
const served = (status: Deployment['status'], needsPods = true): Finding => ({
  kind: 'served',
  deployment: deployment(status),
  needsPods,
});
const available = { observedGeneration: 2, updatedReplicas: 1, availableReplicas: 1 };

const phases: [what: string, finding: Finding, phase: Phase][] = [
  ['it is being deleted', { kind: 'going' }, 'Terminating'],
  ['it cannot be served', { kind: 'faulty', reason: 'ThemeNotFound', note: '' }, 'Error'],
  ['the Deployment has no status', served(undefined), 'Pending'],
  ['its pods are available', served(available), 'Ready'],
  ['its pods are of an old generation', served({ ...available, observedGeneration: 1 }), 'Pending'],
  ['its pods are of an old template', served({ ...available, updatedReplicas: 0 }), 'Pending'],
  ['its pods are not available', served({ ...available, availableReplicas: 0 }), 'Pending'],
  ['it needs no pods', served(undefined, false), 'Ready'],
];
for (const [what, finding, phase] of phases) {
  test(`when ${what}, a website is ${phase}`, () => assert.equal(phaseOf(finding), phase));
}

const then = '2026-01-02T03:04:05.123000Z';
const now = new Date('2026-02-03T04:05:06.789Z');

test('a status that stays as it is is the same object', () => {
  const status = { phase: 'Ready', observedGeneration: 1, lastTransitionTime: then } as const;
  assert.equal(statusOf({ ...website(), status }, 'Ready', now), status);
});

test('the time of the transition is that of a change of phase or generation, in microseconds', () => {
  const known = {
    ...website(),
    status: { phase: 'Ready', observedGeneration: 1, lastTransitionTime: then },
  } as const;
  const lastTransitionTime = '2026-02-03T04:05:06.789000Z';
  assert.deepEqual(statusOf(known, 'Error', now), {
    phase: 'Error',
    observedGeneration: 1,
    lastTransitionTime,
  });
  const changed = { ...known, metadata: { ...known.metadata, generation: 2 } };
  assert.deepEqual(statusOf(changed, 'Ready', now), {
    phase: 'Ready',
    observedGeneration: 2,
    lastTransitionTime,
  });
});
