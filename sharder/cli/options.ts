import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { commandLine } from '@controller-sharding/shared/runtime/command-line.ts';
import { UsageError } from '@controller-sharding/shared/runtime/process.ts';
import { invalidRingName } from '@controller-sharding/shared/sharding/contract.ts';
import type { Argv } from 'yargs';
import { configFields } from '../config/fields.ts';
import { configFlags } from '../config/flags.ts';
import { type FlagValues, loadConfig } from '../config/load-config.ts';
import type { SharderConfig } from '../config/schema.ts';
import type { CleanupCommand } from './cleanup.ts';
import type { PoliciesCommand } from './policies.ts';

export interface SharderOptions {
  config: SharderConfig;
  /** Name of this replica in the leader election. */
  identity: string;
}

export interface Commands {
  run(options: SharderOptions): Promise<void>;
  cleanup(command: CleanupCommand): Promise<void>;
  policies(command: PoliciesCommand): Promise<void>;
}

/** Calls the command that the command line names. Throws UsageError for anything it can't understand. */
export async function parseCommand(args: readonly string[], commands: Commands): Promise<void> {
  await commandLine('sharder', args)
    .usage('$0 <command>\n\nGives the objects of Kubernetes operators to their replicas.')
    .command(
      'run',
      'Run the sharder: one replica leads, the others stand by and answer the webhook',
      (yargs) =>
        yargs.options({
          config: {
            type: 'string',
            describe: 'configuration file (docs/configuration.md); flags win over it',
          },
          identity: {
            type: 'string',
            default: `${hostname()}_${randomBytes(4).toString('hex')}`,
            defaultDescription: 'host name and a random part',
            describe: 'name of this replica in the leader election',
          },
          ...flagsOfFields(),
        }),
      async (argv) =>
        commands.run({ config: loadConfig(argv.config, flagValues(argv)), identity: argv.identity }),
    )
    .command(
      'cleanup <ring>',
      'Remove what a deleted ring has left: labels, Leases of shards that have ended, its webhook configuration',
      ofRing,
      async ({ ring, kubeconfig }) => commands.cleanup({ ring, kubeconfig }),
    )
    .command(
      'policies <ring>',
      "Print what binds the admission policies of manifests/policies to the ring's resources (docs/label-protection.md)",
      (yargs) =>
        ofRing(yargs)
          .option('fence', {
            choices: ['pod', 'lease'] as const,
            describe:
              "also keep shards from each other's objects: shards named as their pods, or of any name",
          })
          .option('lease-namespace', {
            type: 'string',
            describe: "namespace of the shards' Leases, for --fence=lease",
          })
          .check(({ fence, leaseNamespace }) => {
            if ((fence === 'lease') === (leaseNamespace !== undefined)) return true;
            throw new UsageError('--fence=lease and --lease-namespace are given together');
          }),
      async ({ ring, kubeconfig, fence: by, leaseNamespace = '' }) => {
        const fence = by === 'lease' ? { by, namespace: leaseNamespace } : by && { by };
        await commands.policies({ ring, kubeconfig, fence });
      },
    )
    .demandCommand(1, 1, 'a command is missing')
    .parseAsync();
}

const ofRing = <T>(yargs: Argv<T>) =>
  yargs
    .positional('ring', { type: 'string', demandOption: true, describe: 'name of the ControllerRing' })
    .option('kubeconfig', {
      type: 'string',
      describe: 'kubeconfig file; default: $KUBECONFIG, ~/.kube/config, in-cluster',
    })
    .check(({ ring }) => {
      const invalid = invalidRingName(ring);
      if (invalid !== undefined) throw new UsageError(invalid);
      return true;
    });

function flagsOfFields() {
  const fields = new Map(configFields().map((field) => [field.path, field]));
  const flags = Object.entries(configFlags).map(([name, { path, type }]) => {
    const field = fields.get(path);
    // No default of yargs': it would look like a flag that was given.
    const fallback = field?.default === undefined ? '' : ` [default: ${field.default}]`;
    return [name, { type, describe: `${field?.description}${fallback}` }] as const;
  });
  return Object.fromEntries(flags);
}

const flagValues = (argv: Record<string, unknown>): FlagValues =>
  Object.fromEntries(
    Object.keys(configFlags).flatMap((name) => {
      const value = argv[name];
      const given = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
      return given ? [[name, value]] : [];
    }),
  );
