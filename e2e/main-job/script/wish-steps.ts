import type { Job } from '../job.ts';
import { cordonSurely } from './cordon.ts';
import { StepError } from './errors.ts';
import { count } from './report.ts';
import type { Step } from './steps.ts';

const createdWhileCordoned = 40;
const deadlineMs = 30_000;

/** What users can ask for, all of one shard that joins for it: a pin, a weight, a cordon, and a drain before it leaves. */
export function wishSteps(): Step[] {
  let shard = '';
  const secretsOf = ({ observer }: Job): number =>
    observer.world.summary().shards.find(({ name }) => name === shard)?.secrets ?? 0;
  return [
    {
      name: 'grow',
      moves: 'needed',
      level: true,
      deadlineMs: 40_000,
      async act({ fleet }) {
        shard = await fleet.addReplica();
        return `${shard} joined`;
      },
    },
    {
      name: 'pin',
      moves: 'needed',
      level: false,
      deadlineMs,
      async act(job, signal) {
        const secret = job.observer.world.restingSecret(shard);
        if (secret === undefined) throw new StepError(`there is no Secret to pin to ${shard}`);
        await job.pin(secret, shard, signal);
        return `${secret.object} of ${secret.shard} was pinned to ${shard}`;
      },
    },
    {
      name: 'weight',
      moves: 'needed',
      level: true,
      deadlineMs,
      async act(job, signal) {
        await job.wish(shard, { weight: 2 }, signal);
        return `${shard} got the weight 2`;
      },
    },
    {
      name: 'cordon',
      moves: 'nothing',
      level: false,
      deadlineMs,
      async act(job, signal) {
        const before = secretsOf(job);
        await cordonSurely(job, shard, signal);
        await job.createSecrets(createdWhileCordoned, 10, signal);
        return `${shard} was cordoned with ${before} Secrets, ${createdWhileCordoned} Secrets created`;
      },
    },
    {
      name: 'uncordon',
      moves: 'needed',
      level: true,
      deadlineMs,
      async act(job, signal) {
        const before = secretsOf(job);
        await job.wish(shard, { cordoned: false }, signal);
        return `${shard} was uncordoned with ${before} Secrets`;
      },
    },
    {
      name: 'drain',
      moves: 'needed',
      level: true,
      deadlineMs,
      async act(job, signal) {
        const before = secretsOf(job);
        await job.wish(shard, { draining: true }, signal);
        return `${shard} was drained of its ${before} Secrets`;
      },
    },
    {
      name: 'leave',
      moves: 'nothing',
      level: true,
      deadlineMs,
      async act({ fleet }) {
        await fleet.stopReplica(shard);
        return `${shard}, which is empty, was stopped (SIGTERM)`;
      },
    },
    {
      name: 'unpin',
      moves: 'nothing',
      level: false,
      deadlineMs,
      async act(job, signal) {
        const pinned = job.observer.world.pinnedSecrets();
        for (const secret of pinned) await job.pin(secret, undefined, signal);
        return `${count(pinned.length, 'Secret')} unpinned from ${shard}, which is gone`;
      },
    },
  ];
}
