import type { Transport } from '@controller-sharding/shared/kube/transport.ts';
import { type Resource } from '@controller-sharding/shared/kube/types.ts';

const reads = new Set(['GET', 'LIST', 'WATCH', 'WATCHLIST', 'CONNECT']);
const line = /^apiserver_request_total\{(.*)\} (\S+)$/gm;

/** Requests that change objects of these resources, as the API server itself has counted them: refused ones, too. */
export async function writesCountedBy(transport: Transport, resources: readonly Resource[]): Promise<number> {
  const { body } = await transport.request({ method: 'GET', path: '/metrics', noServerTimeout: true });
  let writes = 0;
  for (const [, labels = '', value] of body.matchAll(line)) {
    const of = (name: string): string => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
    const counts = resources.some(
      ({ group, resource }) => of('group') === group && of('resource') === resource,
    );
    if (counts && !reads.has(of('verb'))) writes += Number(value);
  }
  return writes;
}
