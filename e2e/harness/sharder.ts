import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import {
  controllerRings,
  customResourceDefinitions,
  leases,
} from '@controller-sharding/shared/kube/resources.ts';
import { type Lease, microTime } from '@controller-sharding/shared/lease/lease.ts';
import { ringLabel } from '@controller-sharding/shared/sharding/contract.ts';
import type { ControllerRing } from '@controller-sharding/shared/sharding/controller-ring.ts';
import { stringify } from 'yaml';
import { ringDefinition } from '../main-job/cluster/objects.ts';
import { type RunningProcess, startProcess } from './processes.ts';
import { waitFor } from './wait-for.ts';

const sources = [fileURLToPath(new URL('../../sharder/cli/main.ts', import.meta.url))];

/** Longer than anything here takes: nobody needs to renew. */
const leaseSeconds = 7_200;

export interface SharderProcessOptions {
  kubeconfigPath: string;
  /** Gets its configuration file and its log. */
  logFolder: string;
  /** The field of this name in its configuration file. */
  webhook: object;
  /** More fields of that file, or other values than there are. */
  config?: object | undefined;
  /** What Node runs. Default: the sources. */
  program?: readonly string[] | undefined;
  /** More than NODE_ENV. */
  env?: Record<string, string> | undefined;
  /** Default: until it leads; false: not at all, where it may never come so far. */
  wait?: false | undefined;
  signal?: AbortSignal | undefined;
}

/** Starts a sharder by a configuration file; resolves when it leads. */
export async function startSharder(options: SharderProcessOptions): Promise<RunningProcess> {
  const { kubeconfigPath: kubeconfig, logFolder, webhook, program = sources, env, signal } = options;
  const file = join(logFolder, 'sharder.yaml');
  const config = {
    apiVersion: 'config.sharding.timebertt.dev/v1alpha1',
    kind: 'SharderConfig',
    clientConnection: { kubeconfig },
    health: { bindAddress: '0' },
    metrics: { bindAddress: '0' },
    webhook,
    ...options.config,
  };
  await writeFile(file, stringify(config));
  return startProcess({
    name: 'sharder',
    args: [...program, 'run', '--config', file],
    env: { NODE_ENV: 'production', ...env },
    logFile: join(logFolder, 'sharder.log'),
    ready: options.wait === false ? undefined : { line: /"msg":"leading"/ },
    signal,
  });
}

/** Creates the definition of rings, and a ring of these resources. */
export async function createRing(client: ApiClient, ring: ControllerRing): Promise<void> {
  await client.create(customResourceDefinitions, await ringDefinition());
  await waitFor('the API server to serve ControllerRings', () =>
    client.create(controllerRings, ring).then(
      () => true,
      () => false,
    ),
  );
}

/** A shard that is ready for as long as anything here takes, without a process. */
export async function createShard(client: ApiClient, ring: string, name: string): Promise<void> {
  const now = microTime(new Date());
  const lease: Lease = {
    metadata: { name, namespace: 'default', labels: { [ringLabel]: ring } },
    spec: { holderIdentity: name, leaseDurationSeconds: leaseSeconds, acquireTime: now, renewTime: now },
  };
  await client.create(leases, lease);
}
