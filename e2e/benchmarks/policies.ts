import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { PartialObject } from '@controller-sharding/shared/kube/types.ts';
import { labelPatch } from '@controller-sharding/shared/sharding/label-patch.ts';
import { startControlPlane } from '../harness/control-plane.ts';
import type { Benchmark, Figure } from './benchmark.ts';
import { label, PoliciesCluster, type Stage, shards, stages } from './policies-cluster.ts';

const atOnce = 16;
/** As many objects are patched again and again: no two patches of one object are under way at the same time. */
const objectsAtMost = 500;
const [from = '', to = ''] = shards;

/** Patches one object; told how often it was patched before, so that each patch changes something. */
type PatchOne = (object: PartialObject, round: number) => Promise<unknown>;

/** Patching objects without policies, with label protection, and with the fence, too. */
export const policies: Benchmark = {
  name: 'policies',
  purpose: 'what label protection and the fence cost: rates of patches with and without them',
  objects: 2_000,
  // Each is a ratio to the rate without policies, of the same requests on the same machine, one after the other.
  bounds: [
    { figure: 'sharder moves: labels / none', atLeast: 0.75 },
    { figure: 'sharder moves: fence / none', atLeast: 0.6 },
    { figure: 'user patches: labels / none', atLeast: 0.65 },
    { figure: 'user patches: fence / none', atLeast: 0.55 },
    { figure: 'shard patches: fence / none', atLeast: 0.5 },
    { figure: 'other resource: fence / none', atLeast: 0.9 },
    { figure: 'other resource: fence / none', atMost: 1.1 },
  ],
  async run({ objects: count, pairs, signal, progress }) {
    progress('starting a control plane');
    await using controlPlane = await startControlPlane({ signal, report: progress });
    const config = loadKubeConfig({ kubeconfig: controlPlane.kubeconfigPath });
    const transports = [new Transport(config)];
    const clientFor = (token: string): KubeClient => {
      const transport = new Transport({ ...config, user: { name: 'token', token } });
      transports.push(transport);
      return new KubeClient(transport);
    };
    try {
      const [own] = transports;
      if (!own) throw new Error('no transport');
      const { cluster, clients } = await PoliciesCluster.prepare(
        controlPlane,
        new KubeClient(own),
        clientFor,
      );
      const fill = Math.min(count, objectsAtMost);
      const ofRing = await cluster.createObjects(configMaps, 'object', fill);
      const others = await cluster.createObjects(secrets, 'object', fill);
      const options = { signal, timeoutMs: 60_000 };
      const write =
        (client: KubeClient, resource: typeof configMaps): PatchOne =>
        ({ metadata }, round) =>
          client.patchMetadata(
            resource,
            metadata,
            { type: 'merge', body: { metadata: { annotations: { round: String(round) } } } },
            options,
          );
      // As the sharder writes it: the labels that it decided on are tested first.
      const move: PatchOne = ({ metadata }, round) => {
        const [present, next] = round % 2 === 0 ? [from, to] : [to, from];
        const decidedOn = { metadata: { ...metadata, labels: { [label]: present } } };
        return clients.sharder.patchMetadata(
          configMaps,
          metadata,
          labelPatch(decidedOn, { [label]: next }),
          options,
        );
      };
      const sides = [
        { name: 'sharder moves', rounds: new Rounds(ofRing, move) },
        { name: 'shard patches', rounds: new Rounds(ofRing, write(clients.shard, configMaps)) },
        { name: 'user patches', rounds: new Rounds(ofRing, write(clients.user, configMaps)) },
        { name: 'other resource', rounds: new Rounds(others, write(clients.user, secrets)) },
      ];
      const whole = Math.ceil(count / fill) * fill; // each object as often as the others
      const even = whole / fill + ((whole / fill) % 2); // and moved back again
      const rates = new Map<string, number>();
      for (const { rounds } of sides) await rounds.run(2, signal);
      for (let pair = 0; pair < pairs; pair += 1) {
        const order = stages.map((_, index) => stages[(index + pair) % stages.length] ?? 'none');
        for (const stage of order) {
          await cluster.bind(stage);
          for (const { name, rounds } of sides) {
            rates.set(rateKey(name, stage, pair), await rounds.run(even, signal));
          }
        }
        progress(
          `${pair + 1} of ${pairs}: ${sides.map(({ name }) => `${name} ${stages.map((stage) => rates.get(rateKey(name, stage, pair))?.toFixed(0)).join(' / ')}`).join(', ')} per s`,
        );
      }
      return Object.fromEntries(sides.flatMap(({ name }) => figuresOf(name, rates, pairs)));
    } finally {
      await Promise.all(transports.map((transport) => transport.close()));
    }
  },
};

const rateKey = (side: string, stage: Stage, pair: number): string => `${side}: ${stage}, ${pair}`;

function figuresOf(side: string, rates: ReadonlyMap<string, number>, pairs: number): [string, Figure][] {
  const of = (stage: Stage): number[] =>
    Array.from({ length: pairs }, (_, pair) => rates.get(rateKey(side, stage, pair)) ?? Number.NaN);
  const none = of('none');
  return stages.flatMap((stage): [string, Figure][] => {
    const own = of(stage);
    const rate: [string, Figure] = [`${side}: ${stage}`, { value: median(own), unit: 'per s' }];
    if (stage === 'none') return [rate];
    const ratio = median(own.map((value, pair) => value / (none[pair] ?? Number.NaN)));
    return [rate, [`${side}: ${stage} / none`, { value: ratio, unit: '×' }]];
  });
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Patches of the same objects, round by round. */
class Rounds {
  readonly #objects: readonly PartialObject[];
  readonly #patch: PatchOne;
  #done = 0;

  constructor(objects: readonly PartialObject[], patch: PatchOne) {
    this.#objects = objects;
    this.#patch = patch;
  }

  /** Returns how many patches per second. */
  async run(rounds: number, signal: AbortSignal): Promise<number> {
    const startedAt = performance.now();
    for (let round = 0; round < rounds; round += 1) {
      signal.throwIfAborted();
      const left = [...this.#objects];
      const work = async (): Promise<void> => {
        for (let object = left.pop(); object; object = left.pop()) await this.#patch(object, this.#done);
      };
      await Promise.all(Array.from({ length: atOnce }, work));
      this.#done += 1;
    }
    return ((rounds * this.#objects.length) / (performance.now() - startedAt)) * 1_000;
  }
}
