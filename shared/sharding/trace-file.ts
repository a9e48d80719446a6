import { openSync, writeSync } from 'node:fs';
import type { ShardObserver } from './shard-event.ts';

/**
 * Appends each event as a line of JSON: `{at, shard, pid, event, …}` with `at` in ms of CLOCK_MONOTONIC, which is one
 * clock for all processes of a machine. Written synchronously, so that SIGKILL loses nothing that had begun.
 * Throws the file system's error when the file can't be opened.
 */
export function traceToFile(path: string, shardName: () => string | undefined): ShardObserver {
  const file = openSync(path, 'a');
  return (event) => {
    const shard = shardName();
    const at = Number(process.hrtime.bigint()) / 1e6;
    writeSync(file, `${JSON.stringify({ at, shard, pid: process.pid, ...event })}\n`);
  };
}
