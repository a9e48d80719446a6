import { hostname } from 'node:os';
import type { Options } from 'yargs';
import { parseAddress } from '../runtime/address.ts';
import { commandLine } from '../runtime/command-line.ts';
import { logLevels } from '../runtime/logger.ts';
import { UsageError } from '../runtime/usage-error.ts';
import { invalidRingName, invalidShardName } from '../sharding/contract.ts';
import { invalidSlotRing } from '../sharding/slot-name.ts';
import type { FlagValues, ProgramFlags } from './program-flags.ts';
import type { OperatorProgram } from './run-operator.ts';

const common = (ring: string) =>
  ({
    help: { type: 'boolean', describe: 'show this' },
    kubeconfig: {
      type: 'string',
      describe: 'kubeconfig file; default: $KUBECONFIG, ~/.kube/config, in-cluster',
    },
    sharded: {
      type: 'boolean',
      default: true,
      describe: 'all replicas work; --no-sharded: one of them leads',
    },
    'shard-name': {
      type: 'string',
      default: hostname(),
      describe: 'name of this replica, unique in its ring',
    },
    'shard-slots': {
      type: 'boolean',
      default: false,
      describe:
        'take a slot of the ring as name, which the next pod of the Deployment takes over; of a StatefulSet, the pod name',
    },
    ring: { type: 'string', default: ring, describe: 'name of the ControllerRing' },
    'lease-namespace': { type: 'string', describe: 'namespace of its Lease; default: its own' },
    workers: { type: 'number', default: 5, describe: 'objects worked on at once' },
    qps: { type: 'number', describe: 'requests per second on average; default: no limit' },
    burst: { type: 'number', describe: 'requests at once beyond that' },
    'health-address': {
      type: 'string',
      default: ':8081',
      describe: 'serves /healthz and /readyz; "0" = off',
    },
    'metrics-address': { type: 'string', default: ':8080', describe: 'serves /metrics; "0" = off' },
    'metrics-secure': {
      type: 'boolean',
      default: false,
      describe: 'serves /metrics by HTTPS, to users who may get it',
    },
    'log-level': { choices: logLevels, default: 'info' as const, describe: 'least level that is logged' },
    'trace-file': { type: 'string', describe: 'append what is done to this file, a JSON object per line' },
  }) satisfies Record<string, Options>;

export type OperatorOptions<Flags extends ProgramFlags> = Awaited<
  ReturnType<typeof parseOperatorOptions<Flags>>
> &
  object;

/** Undefined when only help was asked for. Throws UsageError. */
export async function parseOperatorOptions<Flags extends ProgramFlags>(
  { name, purpose, ring, flags }: Pick<OperatorProgram<Flags>, 'name' | 'purpose' | 'ring' | 'flags'>,
  args: string[],
) {
  const parsed = await commandLine(name, args)
    .usage(`$0\n\n${purpose}`)
    .options(common(ring))
    .options(flags ?? {})
    .parseAsync();
  if (parsed.help === true) return undefined;
  const invalidRing = invalidRingName(parsed.ring);
  if (invalidRing !== undefined) throw new UsageError(`--ring: ${invalidRing}`);
  const tooLong = parsed.shardSlots ? invalidSlotRing(parsed.ring) : undefined;
  if (tooLong !== undefined) throw new UsageError(`--shard-slots: the ring's name is too long: ${tooLong}`);
  const invalid = parsed.shardSlots || !parsed.sharded ? undefined : invalidShardName(parsed.shardName);
  if (invalid !== undefined) throw new UsageError(`--shard-name: ${invalid}`);
  for (const [flag, value] of Object.entries({ workers: parsed.workers, burst: parsed.burst })) {
    if (value !== undefined && (!Number.isInteger(value) || value < 1))
      throw new UsageError(`--${flag}: must be 1 or more`);
  }
  if (parsed.qps !== undefined && !(parsed.qps > 0)) throw new UsageError('--qps: must be more than 0');
  return {
    kubeconfig: parsed.kubeconfig,
    sharded: parsed.sharded,
    shardName: parsed.shardName,
    shardSlots: parsed.shardSlots,
    ring: parsed.ring,
    leaseNamespace: parsed.leaseNamespace,
    workers: parsed.workers,
    qps: parsed.qps,
    burst: parsed.burst,
    logLevel: parsed.logLevel,
    traceFile: parsed.traceFile,
    secureMetrics: parsed.metricsSecure,
    healthAddress: parseAddress('--health-address', parsed.healthAddress),
    metricsAddress: parseAddress('--metrics-address', parsed.metricsAddress),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the parser has checked them
    flags: parsed as unknown as FlagValues<Flags>,
  };
}
