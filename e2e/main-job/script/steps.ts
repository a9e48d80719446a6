import type { Job } from '../job.ts';
import type { MovesExpected } from '../observer/events.ts';
import { wishSteps } from './wish-steps.ts';

/** One step of the script: what is done, and what has to come of it. */
export interface Step {
  name: string;
  /** What may move. */
  moves: MovesExpected;
  /** Whether the membership changes, so that the shares are level at the end. */
  level: boolean;
  /** How long it may take until the ring is at rest again. */
  deadlineMs: number;
  /** Does it; returns what was done, for people. */
  act(job: Job, signal: AbortSignal): Promise<string>;
  /** What besides the ring's rest is still missing; undefined when nothing is. */
  missing?(job: Job): string | undefined;
}

const createdDuringElection = 20;
const createdAfterwards = 100;
const quietMs = 5_000;

/**
 * A join, a graceful stop, a kill, the leader killed; creations meanwhile; what users ask for of a shard that joins; and a
 * while in which nothing happens.
 */
export function script(secrets: number, replicas: number): Step[] {
  let killedLeader = '';
  return [
    {
      name: 'start',
      moves: 'any',
      level: false,
      deadlineMs: 60_000,
      async act({ fleet }) {
        for (let i = 0; i < replicas; i++) await fleet.addReplica();
        return `2 sharders and ${replicas} replicas`;
      },
      missing: ({ observer }) => (observer.world.leader === '' ? 'a leading sharder' : undefined),
    },
    {
      name: 'fill',
      moves: 'any',
      level: false,
      deadlineMs: 60_000,
      async act(job, signal) {
        await job.createSecrets(secrets, 20, signal);
        return `${secrets} Secrets created`;
      },
    },
    {
      name: 'join',
      moves: 'needed',
      level: true,
      deadlineMs: 40_000,
      act: async ({ fleet }) => `${await fleet.addReplica()} joined`,
    },
    {
      name: 'stop',
      moves: 'needed',
      level: true,
      deadlineMs: 30_000,
      async act({ fleet }) {
        const name = fleet.replicas.at(-1) ?? '';
        await fleet.stopReplica(name);
        return `${name} was stopped (SIGTERM)`;
      },
    },
    {
      name: 'kill',
      moves: 'needed',
      level: true,
      deadlineMs: 40_000,
      async act({ fleet }) {
        const [name = ''] = fleet.replicas;
        await fleet.killReplica(name);
        return `${name} was killed (SIGKILL)`;
      },
    },
    {
      name: 'leader',
      moves: 'nothing',
      level: false,
      deadlineMs: 60_000,
      async act(job, signal) {
        killedLeader = job.observer.world.leader;
        const name = await job.fleet.killLeader(killedLeader);
        if (name === undefined) throw new Error(`no sharder leads (the Lease is held by "${killedLeader}")`);
        // Nobody leads now: the webhook alone gives these their shard.
        await job.createSecrets(createdDuringElection, 1, signal);
        return `${name}, which led, was killed (SIGKILL), ${createdDuringElection} Secrets created meanwhile`;
      },
      missing({ observer }) {
        const { leader } = observer.world;
        return leader === '' || leader === killedLeader ? 'a new leading sharder' : undefined;
      },
    },
    {
      name: 'create',
      moves: 'any',
      level: false,
      deadlineMs: 30_000,
      async act(job, signal) {
        await job.createSecrets(createdAfterwards, 10, signal);
        return `${createdAfterwards} Secrets created`;
      },
    },
    ...wishSteps(),
    {
      name: 'quiet',
      moves: 'nothing',
      level: false,
      deadlineMs: quietMs + 10_000,
      async act({ clock }, signal) {
        await clock.sleep(quietMs, signal);
        return `nothing was done for ${quietMs / 1000} s`;
      },
    },
  ];
}
