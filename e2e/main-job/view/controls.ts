import type { Job } from '../job.ts';
import { leaderName } from '../observer/events.ts';
import type { Action } from './keys.ts';
import { actOnWishes } from './wishes.ts';

const createAtOnce = 100;
const mostReplicas = 20;

/** Does what a key asks for; returns what was done, for people. */
export async function act(job: Job, action: Exclude<Action, 'quit'>, signal: AbortSignal): Promise<string> {
  const { fleet, observer } = job;
  switch (action) {
    case 'add':
      if (fleet.replicas.length >= mostReplicas) return `${mostReplicas} replicas are enough for one machine`;
      return `${await fleet.addReplica()} was added`;
    case 'stop': {
      const name = fleet.replicas.at(-1);
      if (name === undefined) return 'there is no replica to stop';
      await fleet.stopReplica(name);
      return `${name}, the newest, was stopped (SIGTERM)`;
    }
    case 'kill': {
      const [name] = fleet.replicas;
      if (name === undefined) return 'there is no replica to kill';
      await fleet.killReplica(name);
      return `${name}, the oldest, was killed (SIGKILL)`;
    }
    case 'create':
      await job.createSecrets(createAtOnce, 10, signal);
      return `${createAtOnce} Secrets were created`;
    case 'kill-leader': {
      const name = await fleet.killLeader(observer.world.leader);
      if (name !== undefined) return `${name}, which led, was killed (SIGKILL)`;
      return `no sharder of this job leads (${leaderName(observer.world.leader) || 'nobody'})`;
    }
    case 'pin':
    case 'unpin':
    case 'weight':
    case 'cordon':
    case 'drain':
      return actOnWishes(job, action, signal);
  }
}
