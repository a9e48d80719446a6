import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import { startControlPlane } from '../harness/control-plane.ts';
import type { Benchmark, BenchmarkContext, Bound, Figures } from './benchmark.ts';
import type { ClientNodeInput, ClientNodeResult } from './list-client-node.ts';
import { createConfigMaps } from './list-objects.ts';
import type { OursInput, OursResult } from './list-ours.ts';
import { type Measured, measure } from './measure.ts';

type Ours = Omit<OursInput, 'kubeconfig'>;

const ours = (['projected', 'full'] as const).flatMap((form) =>
  (['watch list', 'paged list'] as const).map((by): Ours => ({ form, by })),
);
const theirs = ['typed list', 'informer'] as const;

const most = {
  projected: { cpu: 0.25, peakRss: 0.2 },
  full: { cpu: 0.6, peakRss: 0.5 },
} as const;

const nameOf = ({ form, by }: Ours): string => `${form}, ${by}`;

const bounds = ours.flatMap((side): Bound[] => {
  const name = nameOf(side);
  return [
    { figure: `${name}: CPU ratio`, atMost: most[side.form].cpu },
    { figure: `${name}: peak RSS ratio`, atMost: most[side.form].peakRss },
    { figure: `${name}: longest stall`, atMost: 20 },
    { figure: `${name}: new connections`, atMost: 0 },
    ...(side.form === 'projected' ? [{ figure: `${name}: heap per object`, atMost: 400 }] : []),
  ];
});

/** Our informer, metadata-only and projected or with full objects, by both ways to list, beside client-node's. */
export const list: Benchmark = {
  name: 'list',
  purpose: 'the first list of an informer, beside @kubernetes/client-node: CPU, memory, stalls, connections',
  objects: 50_000,
  bounds,
  async run({ objects, signal, progress }) {
    progress('starting a control plane');
    await using controlPlane = await startControlPlane({ signal, report: progress });
    const { kubeconfigPath: kubeconfig } = controlPlane;
    const transport = new Transport(loadKubeConfig({ kubeconfig }));
    progress(`creating ${objects} ConfigMaps`);
    await createConfigMaps(new KubeClient(transport), objects, { signal, progress });
    await transport.close();
    return await compare(kubeconfig, { objects, signal, progress });
  },
};

async function compare(
  kubeconfig: string,
  { objects, signal, progress }: Omit<BenchmarkContext, 'pairs'>,
): Promise<Figures> {
  const figures: Record<string, Figures[string]> = {};
  const note = (name: string, side: Measured<{ objects: number }>): void => {
    if (side.result.objects < objects) throw new Error(`${name}: got only ${side.result.objects} objects`);
    Object.assign(figures, {
      [`${name}: CPU`]: { value: side.cpuMs, unit: 'ms' },
      [`${name}: time`]: { value: side.wallMs, unit: 'ms' },
      [`${name}: peak RSS`]: { value: side.peakRssMb, unit: 'MB' },
      [`${name}: longest stall`]: { value: side.stallMs, unit: 'ms' },
      [`${name}: longest stall on the clock`]: { value: side.wallStallMs, unit: 'ms' },
      [`${name}: idle process meanwhile`]: { value: side.idleWallStallMs, unit: 'ms' },
    });
  };
  let leastCpuMs = Number.POSITIVE_INFINITY;
  let leastRssMb = Number.POSITIVE_INFINITY;
  for (const by of theirs) {
    progress(`client-node, ${by}`);
    const program = new URL('./list-client-node.ts', import.meta.url);
    const side = await measure<ClientNodeResult>(
      program,
      { kubeconfig, by } satisfies ClientNodeInput,
      signal,
    );
    note(`client-node, ${by}`, side);
    leastCpuMs = Math.min(leastCpuMs, side.cpuMs);
    leastRssMb = Math.min(leastRssMb, side.peakRssMb);
  }
  for (const input of ours) {
    const name = nameOf(input);
    progress(name);
    const program = new URL('./list-ours.ts', import.meta.url);
    const side = await measure<OursResult>(program, { kubeconfig, ...input } satisfies OursInput, signal);
    note(name, side);
    Object.assign(figures, {
      [`${name}: CPU ratio`]: { value: side.cpuMs / leastCpuMs, unit: '×' },
      [`${name}: peak RSS ratio`]: { value: side.peakRssMb / leastRssMb, unit: '×' },
      [`${name}: heap per object`]: { value: side.result.heapBytes / side.result.objects, unit: 'bytes' },
      [`${name}: new connections`]: { value: side.result.newConnections, unit: '' },
    });
  }
  return figures;
}
