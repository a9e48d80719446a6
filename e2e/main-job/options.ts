import { homedir } from 'node:os';
import { join } from 'node:path';
import { commandLine } from '@controller-sharding/shared/runtime/command-line.ts';
import { UsageError } from '@controller-sharding/shared/runtime/process.ts';
import { type Plant, plants } from './plant/plants.ts';

export interface MainJobOptions {
  /** An existing cluster's; undefined: a control plane of its own. */
  kubeconfig: string | undefined;
  secrets: number;
  replicas: number;
  /** Where the API server reaches the webhook on loopback; undefined: a free port. */
  webhookPort: number | undefined;
  /** Live view and keys; else the script. */
  live: boolean;
  plant: Plant | undefined;
}

export interface Terminal {
  isTTY: boolean;
  env: Readonly<Record<string, string | undefined>>;
}

const usage = `$0 [options]

Two sharders and a sharded operator on a real control plane, watched by an observer that checks every rule.
In a terminal: a live view with keys. Else, or with CI=1: a script. Ends with 0; 3 when a rule was broken;
1 for any other failure; 2 for wrong usage.`;

/** Throws UsageError for anything it can't understand; undefined when only help was asked for. */
export async function parseOptions(
  args: readonly string[],
  terminal: Terminal,
): Promise<MainJobOptions | undefined> {
  const argv = await commandLine('main-job', args)
    .usage(usage)
    .options({
      kubeconfig: {
        type: 'string',
        describe: 'use this cluster, and leave nothing behind in it; default: a control plane of its own',
      },
      secrets: { type: 'number', default: 300, describe: 'Secrets to begin with' },
      replicas: { type: 'number', default: 3, describe: 'replicas of the operator to begin with' },
      'webhook-port': {
        type: 'number',
        describe:
          'port on 127.0.0.1 for the webhook; default: a free one, and no webhook with --kubeconfig, since another ' +
          'API server may not reach this machine',
      },
      tty: { type: 'boolean', describe: 'live view; default: in a terminal, unless CI is set' },
      plant: { choices: plants, hidden: true },
    })
    .parseAsync();
  if (args.includes('--help')) return undefined;
  const { tty } = argv;
  if (tty === true && !terminal.isTTY) throw new UsageError('--tty: this is not a terminal');
  const { CI = '' } = terminal.env;
  const live = tty ?? (terminal.isTTY && (CI === '' || CI === 'false' || CI === '0'));
  if (live && argv.plant !== undefined)
    throw new UsageError('--plant: only in a script (with --no-tty or CI=1)');
  return {
    kubeconfig: argv.kubeconfig === undefined ? undefined : pathOf(argv.kubeconfig),
    secrets: wholeNumber('--secrets', argv.secrets, 0, 10_000),
    // The script stops one of them and kills another.
    replicas: wholeNumber('--replicas', argv.replicas, live ? 1 : 2, 20),
    webhookPort:
      argv.webhookPort === undefined ? undefined : wholeNumber('--webhook-port', argv.webhookPort, 1, 65_535),
    live,
    plant: argv.plant,
  };
}

function wholeNumber(flag: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new UsageError(`${flag}: must be a whole number from ${least} to ${most}`);
}

/** `make` passes a leading `~` on as it is. */
function pathOf(path: string): string {
  if (path === '') throw new UsageError('--kubeconfig: a file is missing');
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}
