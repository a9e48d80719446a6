import { writeFile } from 'node:fs/promises';
import type { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { configMaps } from '@controller-sharding/shared/kube/resources.ts';
import type { Transport } from '@controller-sharding/shared/kube/transport.ts';
import { createConfigMaps } from './list-objects.ts';

const objects = 1_000;
const newline = 0x0a;

/**
 * Writes into `file` what a real API server sends to a watch while ConfigMaps of 2 KB are created and changed: a line
 * for each event, two for each object. Resolves with the number of events.
 */
export async function recordWatch(
  { transport, client, file }: { transport: Transport; client: KubeClient; file: string },
  context: { signal: AbortSignal; progress(line: string): void },
): Promise<number> {
  const { resourceVersion } = await client.listPage(configMaps, 'metadata', { limit: 1 });
  const recorded: Buffer[] = [];
  let events = 0;
  const stop = new AbortController();
  const record = async (): Promise<void> => {
    const pieces = transport.stream({
      path: '/api/v1/configmaps',
      query: { watch: true, resourceVersion, timeoutSeconds: 300 },
      signal: AbortSignal.any([context.signal, stop.signal]),
    });
    for await (const piece of pieces) {
      const bytes = Buffer.from(piece); // a copy
      recorded.push(bytes);
      for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) events += 1;
      if (events >= 2 * objects) return;
    }
  };
  const recording = record();
  try {
    const refs = await createConfigMaps(client, objects, context);
    for (const ref of refs) {
      const body = { metadata: { annotations: { 'example.org/changed': ref.name } } };
      await client.patch(configMaps, ref, { type: 'merge', body }, { signal: context.signal });
    }
    await recording;
  } finally {
    stop.abort();
    await recording.catch(() => {}); // told above
  }
  await writeFile(file, Buffer.concat(recorded));
  return events;
}
