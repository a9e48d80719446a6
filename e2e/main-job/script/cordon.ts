import type { Job } from '../job.ts';
import { promptMs } from '../observer/shards.ts';

/** Cordons the shard and waits until nobody may give it anything new any more. */
export async function cordonSurely(job: Job, shard: string, signal: AbortSignal): Promise<void> {
  await job.wish(shard, { cordoned: true }, signal);
  await job.clock.sleep(promptMs + 100, signal);
}
