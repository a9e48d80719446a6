import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBinaries } from '../control-plane/ensure-binaries.ts';
import { runCommand } from '../node/commands.ts';

/** The folder of the chart. */
export const chart = fileURLToPath(new URL('../../manifests/helm/controller-sharding', import.meta.url));
export const chartNamespace = 'sharding-system';

/** Longer than anything may take that waits for pods. */
const TIMEOUT_MS = 150_000;

export interface HelmOptions {
  /** Helm keeps its own files there. */
  folder: string;
  /** Needed by what asks a cluster. */
  kubeconfig?: string | undefined;
}

/** Values of the chart, as `--values` reads them. */
export type Values = Readonly<Record<string, unknown>>;

/** Helm, for the chart of this repository in its namespace. */
export class Helm {
  /** The folder of kubeconfig and caches is given to each run. */
  readonly #env: Record<string, string>;

  constructor({ folder, kubeconfig }: HelmOptions) {
    this.#env = {
      HOME: folder,
      HELM_CACHE_HOME: join(folder, 'helm', 'cache'),
      HELM_CONFIG_HOME: join(folder, 'helm', 'config'),
      HELM_DATA_HOME: join(folder, 'helm', 'data'),
      KUBECONFIG: kubeconfig ?? join(folder, 'no-kubeconfig'),
    };
  }

  /** `helm WORDS --namespace sharding-system`, with values by standard input. Throws with what it wrote to standard error. */
  async run(words: readonly string[], values?: Values): Promise<string> {
    const { helm } = await ensureBinaries(['helm']);
    const args = [...words, '--namespace', chartNamespace];
    if (values !== undefined) args.push('--values', '-');
    const input = values === undefined ? undefined : JSON.stringify(values);
    return runCommand(helm, args, { input, env: this.#env, timeoutMs: TIMEOUT_MS });
  }
}
