import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { commandLine } from '@controller-sharding/shared/runtime/command-line.ts';
import { configFields } from '../config/fields.ts';
import { configFlags } from '../config/flags.ts';
import { type FlagValues, loadConfig } from '../config/load-config.ts';
import type { SharderConfig } from '../config/schema.ts';

export interface SharderOptions {
  config: SharderConfig;
  /** Name of this replica in the leader election. */
  identity: string;
}

/** Calls `run` with what the command line says. Throws UsageError for anything it can't understand. */
export async function parseCommand(
  args: readonly string[],
  run: (options: SharderOptions) => Promise<void>,
): Promise<void> {
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
      async (argv) => run({ config: loadConfig(argv.config, flagValues(argv)), identity: argv.identity }),
    )
    .demandCommand(1, 1, 'a command is missing')
    .parseAsync();
}

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
