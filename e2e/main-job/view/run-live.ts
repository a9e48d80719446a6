import type { Job } from '../job.ts';
import type { MainJobOptions } from '../options.ts';

export async function runLive(_job: Job, _options: MainJobOptions, _signal: AbortSignal): Promise<void> {}
