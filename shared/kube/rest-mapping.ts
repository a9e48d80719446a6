import type { Clock } from '../runtime/clock.ts';
import type { RestMapper } from './api-client.ts';
import { discover, type ResourceMap } from './discovery.ts';
import { TransportError } from './errors.ts';
import type { Transport } from './transport.ts';
import { type Resource, resourceName } from './types.ts';

/** An unknown resource makes the mapper ask again at most this often: it may be asked for at every retry of a ring. */
const refreshIntervalMs = 5_000;
/** What is known is asked for again when it is older: a CRD may have come back with another scope or version. */
const maxAgeMs = 60_000;

/** Remembers what discovery found for a minute; asks the API server again when a resource is unknown. */
export class DiscoveryRestMapper implements RestMapper {
  readonly #transport: Transport;
  readonly #clock: Clock;
  #known: ResourceMap = new Map();
  #refreshedAt: number | undefined;
  #refresh: Promise<void> | undefined;
  #expired = false;

  constructor(transport: Transport, clock: Clock) {
    this.#transport = transport;
    this.#clock = clock;
  }

  async resource(group: string, resource: string): Promise<Resource> {
    const name = resourceName({ group, resource });
    const known = this.#known.get(name);
    if (this.#ageMs >= (known && !this.#expired ? maxAgeMs : refreshIntervalMs)) {
      this.#refresh ??= this.#discover().finally(() => {
        this.#refresh = undefined;
      });
      try {
        await this.#refresh;
      } catch (error) {
        if (known) return known;
        throw error;
      }
    }
    const found = this.#known.get(name);
    if (found) return found;
    throw new TransportError('KUBE_UNKNOWN_RESOURCE', `the API server does not serve ${name}`);
  }

  /** What is known may be wrong, as a request says that met a 404: it is asked for again, at most every 5 s. */
  expire(): void {
    this.#expired = true;
  }

  get #ageMs(): number {
    return this.#refreshedAt === undefined ? Infinity : this.#clock.monotonic() - this.#refreshedAt;
  }

  async #discover(): Promise<void> {
    this.#known = await discover(this.#transport);
    this.#refreshedAt = this.#clock.monotonic();
    this.#expired = false;
  }
}
