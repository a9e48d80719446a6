import type { WatchEvent } from './api-client.ts';
import { errorOfStatus } from './api-status.ts';
import { TransportError } from './errors.ts';
import type { KubeObject } from './types.ts';
import type { RawEvent } from './wire/watch-decoder.ts';

/** An event of a watch. Throws the ApiError of an ERROR event, TransportError KUBE_RESPONSE for what is no event. */
export function watchEventOf<T extends KubeObject>(event: RawEvent<T> | null): WatchEvent<T> {
  switch (event?.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      if (event.object?.metadata) return { type: event.type, object: event.object };
      break;
    case 'BOOKMARK': {
      const { resourceVersion, annotations } = event.object?.metadata ?? {};
      if (resourceVersion === undefined) break;
      return {
        type: 'BOOKMARK',
        resourceVersion,
        initialEventsEnd: annotations?.['k8s.io/initial-events-end'] === 'true',
      };
    }
    case 'ERROR':
      throw errorOfStatus(event.object);
  }
  throw new TransportError('KUBE_RESPONSE', `not a watch event: ${JSON.stringify(event).slice(0, 100)}`);
}
