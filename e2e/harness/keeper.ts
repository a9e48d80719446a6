/**
 * The program that keeps the harness's processes and temporary folders. It starts the processes, and when its parent
 * ends, however that happens (the channel between them closes), it kills what still runs, removes the folders and ends
 * itself. It has its own session, so Ctrl-C in the terminal doesn't reach it or its processes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeeperAnswers, ReplyMessage, RequestMessage, StartRequest } from './keeper-protocol.ts';

const END_DEADLINE_MS = 10_000;

/** Running processes by the id of the request that started them. */
const processes = new Map<number, { child: ChildProcess; pid: number }>();
const folders = new Set<string>();
let ending = false;

function say(message: ReplyMessage): void {
  // A parent that is gone needs no answer; `disconnect` follows.
  if (process.connected) process.send?.(message, () => {});
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of the group is left.
  }
}

function start(key: number, request: StartRequest): Promise<number> {
  const log = openSync(request.logFile, 'a');
  const child = spawn(request.command, request.args, {
    cwd: request.cwd,
    env: request.env,
    stdio: ['ignore', log, log],
    detached: true, // a process group of its own, so that whatever it starts ends with it
  });
  closeSync(log);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      const pid = child.pid ?? 0;
      processes.set(key, { child, pid });
      child.once('exit', (code, signal) => {
        processes.delete(key);
        killGroup(pid);
        say({ exited: key, code, signal });
      });
      resolve(pid);
      if (ending) killGroup(pid);
    });
  });
}

async function handle(message: RequestMessage): Promise<KeeperAnswers[keyof KeeperAnswers]> {
  switch (message.op) {
    case 'start':
      return start(message.id, message);
    case 'signal':
      return processes.get(message.key)?.child.kill(message.signal) ?? false;
    case 'make-folder': {
      const folder = await mkdtemp(join(await realpath(tmpdir()), message.prefix));
      folders.add(folder);
      return folder;
    }
    case 'remove-folder':
      await removeFolder(message.path);
  }
  return null;
}

async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  folders.delete(path);
}

const inHand = new Set<Promise<void>>();

process.on('message', (message: RequestMessage) => {
  const work = handle(message)
    .then(
      (value) => say({ id: message.id, value }),
      (error: unknown) =>
        say({ id: message.id, error: error instanceof Error ? error.message : String(error) }),
    )
    .finally(() => inHand.delete(work));
  inHand.add(work);
});

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  setTimeout(() => process.exit(1), END_DEADLINE_MS).unref();
  await Promise.all(inHand);
  const gone = [...processes.values()].map(
    ({ child }) => new Promise<void>((resolve) => child.once('exit', () => resolve())),
  );
  for (const { pid } of processes.values()) killGroup(pid);
  await Promise.all(gone);
  await Promise.all([...folders].map(removeFolder));
  process.exit(0);
}

process.on('disconnect', () => void end());
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void end());
