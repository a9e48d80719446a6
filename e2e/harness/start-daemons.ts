import { mkdir, readFile, rm } from 'node:fs/promises';
import {
  type DaemonName,
  daemonArgs,
  etcdDataFolder,
  type Layout,
  logFileOf,
  logFolder,
} from './control-plane-daemons.ts';
import { type Identities, writeOwnKubeconfigs } from './control-plane-files.ts';
import { stopDaemons, waitUntilReady } from './control-plane-instance.ts';
import { Daemon } from './daemon.ts';
import { HarnessError } from './errors.ts';
import type { Keeper } from './keeper-client.ts';
import { lastLines } from './log-lines.ts';
import { freePort } from './ports.ts';

/** How often another process may take the port that was just found free. */
const PORT_ATTEMPTS = 3;
const LOG_LINES_SHOWN = 3;

export interface StartRequest {
  keeper: Keeper;
  dir: string;
  identities: Identities;
  names: DaemonName[];
  binaries: Record<DaemonName, string>;
  /** Undefined: any free one. */
  port: number | undefined;
  apiServerArgs?: readonly string[] | undefined;
  controllerManagerArgs?: readonly string[] | undefined;
  signal: AbortSignal | undefined;
}

export interface StartedDaemons {
  layout: Layout;
  daemons: Map<DaemonName, Daemon>;
  etcd: Daemon;
  apiServer: Daemon;
}

/** Starts the daemons and waits until the API server is ready; none is left running when it throws. */
export async function startDaemons(request: StartRequest): Promise<StartedDaemons> {
  const { dir, identities, port, signal } = request;
  for (let attempt = 1; ; attempt++) {
    const layout = { dir, apiServerPort: port ?? (await freePort()) };
    await mkdir(logFolder(layout), { recursive: true });
    await writeOwnKubeconfigs(layout, identities);
    const etcd = makeDaemon(request, layout, 'etcd');
    const apiServer = makeDaemon(request, layout, 'kube-apiserver');
    const daemons = new Map<DaemonName, Daemon>();
    daemons.set('etcd', etcd).set('kube-apiserver', apiServer);
    for (const name of request.names) {
      if (!daemons.has(name)) daemons.set(name, makeDaemon(request, layout, name));
    }
    try {
      for (const daemon of daemons.values()) await daemon.start();
      await waitUntilReady({ layout, identities, daemons }, signal);
      signal?.throwIfAborted();
      return { layout, daemons, etcd, apiServer };
    } catch (error) {
      await stopDaemons(daemons.values());
      if (signal?.aborted || !(error instanceof HarnessError)) throw error;
      if (!(await lostPort(apiServer))) throw await withLastLines(error, daemons);
      if (port !== undefined || attempt === PORT_ATTEMPTS) throw portBusy(layout.apiServerPort);
      await Promise.all(
        [etcdDataFolder(layout), logFolder(layout)].map((folder) =>
          rm(folder, { recursive: true, force: true }),
        ),
      );
    }
  }
}

export const portBusy = (port: number): HarnessError =>
  new HarnessError('PORT_BUSY', `Port ${port} on 127.0.0.1 is in use: end what uses it, or choose another.`);

const makeDaemon = (
  { keeper, binaries, apiServerArgs = [], controllerManagerArgs = [] }: StartRequest,
  layout: Layout,
  name: DaemonName,
): Daemon =>
  new Daemon(keeper, {
    name,
    command: binaries[name],
    args: [
      ...daemonArgs[name](layout),
      ...(name === 'kube-apiserver' ? apiServerArgs : []),
      ...(name === 'kube-controller-manager' ? controllerManagerArgs : []),
    ],
    env: { HOME: layout.dir },
    cwd: layout.dir,
    logFile: logFileOf(layout, name),
  });

async function lostPort({ spec }: Daemon): Promise<boolean> {
  const log = await readFile(spec.logFile, 'utf8').catch(() => '');
  return log.includes('address already in use');
}

async function withLastLines(error: HarnessError, daemons: Map<DaemonName, Daemon>): Promise<HarnessError> {
  const ended = [...daemons.values()].find(({ unexpectedEnd }) => unexpectedEnd !== undefined);
  if (!ended) return error;
  const lines = await lastLines(ended.spec.logFile, LOG_LINES_SHOWN);
  return new HarnessError(error.code, `${error.message}; its last lines:\n${lines}`);
}
