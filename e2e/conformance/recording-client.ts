import type {
  ApiClient,
  DeleteOptions,
  Form,
  ListOptions,
  ListPage,
  Patch,
} from '@controller-sharding/shared/kube/api-client.ts';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import {
  type KubeObject,
  type ObjectRef,
  type PartialObject,
  type Resource,
  resourceName,
} from '@controller-sharding/shared/kube/types.ts';
import { CollectionVersion, type Entry, refusalOf } from './transcript.ts';

/** An object as scenarios use it. */
export interface Thing extends KubeObject {
  data?: Record<string, unknown>;
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
}

/** Put into every namespace by the controller manager. */
const isOfSurroundings = ({ metadata }: KubeObject): boolean => metadata.name === 'kube-root-ca.crt';

export const isOfScenario = (object: KubeObject): boolean => !isOfSurroundings(object);

/** An API client for one namespace that writes down what it did and what the answer was. */
export class RecordingClient {
  readonly #client: ApiClient;
  readonly #namespace: string;
  readonly #entries: Entry[];

  constructor(client: ApiClient, namespace: string, entries: Entry[]) {
    this.#client = client;
    this.#namespace = namespace;
    this.#entries = entries;
  }

  get(resource: Resource, name: string): Promise<Thing> {
    return this.#record(`get ${told(resource)} ${name}`, () =>
      this.#client.get<Thing>(resource, this.#ref(resource, name)),
    );
  }

  getMetadata(resource: Resource, name: string): Promise<PartialObject> {
    return this.#record(`get metadata of ${told(resource)} ${name}`, () =>
      this.#client.getMetadata(resource, this.#ref(resource, name)),
    );
  }

  async page(
    resource: Resource,
    options: ListOptions & { continueToken?: string | undefined; form?: Form } = {},
  ): Promise<ListPage<Thing>> {
    const { form = 'full', ...rest } = options;
    const { continueToken, ...shown } = options;
    const did = `list ${told(resource)} ${JSON.stringify({ ...shown, ...(continueToken && { continue: true }) })}`;
    const wanted = { ...(resource.namespaced && { namespace: this.#namespace }), ...rest };
    const page = (): Promise<ListPage<Thing>> =>
      this.#refusable(did, async () => {
        const { items, ...others } = await this.#client.listPage<Thing>(resource, form, wanted);
        return { items: items.filter(isOfScenario), ...others };
      });
    const answer = await page();
    this.#push(did, {
      items: answer.items,
      version: new CollectionVersion(answer.resourceVersion),
      continue: answer.continue !== undefined,
    });
    return answer;
  }

  create(resource: Resource, object: Thing): Promise<Thing> {
    return this.#record(`create ${told(resource)} ${object.metadata.name}`, () =>
      this.#client.create(resource, this.#placed(resource, object)),
    );
  }

  update(resource: Resource, object: Thing): Promise<Thing> {
    return this.#record(`update ${told(resource)} ${object.metadata.name}`, () =>
      this.#client.update(resource, this.#placed(resource, object)),
    );
  }

  updateStatus(resource: Resource, object: Thing): Promise<Thing> {
    return this.#record(`update status of ${told(resource)} ${object.metadata.name}`, () =>
      this.#client.updateStatus(resource, this.#placed(resource, object)),
    );
  }

  patch(resource: Resource, name: string, patch: Patch): Promise<Thing> {
    return this.#record(`${patch.type} patch ${told(resource)} ${name}`, () =>
      this.#client.patch<Thing>(resource, this.#ref(resource, name), patch),
    );
  }

  patchMetadata(resource: Resource, name: string, patch: Patch): Promise<PartialObject> {
    return this.#record(`${patch.type} patch metadata of ${told(resource)} ${name}`, () =>
      this.#client.patchMetadata(resource, this.#ref(resource, name), patch),
    );
  }

  patchStatus(resource: Resource, name: string, patch: Patch): Promise<Thing> {
    return this.#record(`${patch.type} patch status of ${told(resource)} ${name}`, () =>
      this.#client.patchStatus<Thing>(resource, this.#ref(resource, name), patch),
    );
  }

  delete(resource: Resource, name: string, options?: DeleteOptions): Promise<void> {
    return this.#record(`delete ${told(resource)} ${name}`, () =>
      this.#client.delete(resource, this.#ref(resource, name), options),
    );
  }

  #ref(resource: Resource, name: string): ObjectRef {
    return resource.namespaced ? { namespace: this.#namespace, name } : { name };
  }

  #placed(resource: Resource, object: Thing): Thing {
    if (!resource.namespaced) return object;
    return { ...object, metadata: { namespace: this.#namespace, ...object.metadata } };
  }

  async #record<T>(did: string, run: () => Promise<T>): Promise<T> {
    const saw = await this.#refusable(did, run);
    this.#push(did, structuredClone(saw));
    return saw;
  }

  async #refusable<T>(did: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (error instanceof ApiError) this.#entries.push({ did, refused: refusalOf(error) });
      throw error;
    }
  }

  #push(did: string, saw: unknown): void {
    this.#entries.push(saw === undefined ? { did } : { did, saw });
  }
}

const told = (resource: Resource): string => resourceName(resource).split('.')[0] ?? '';
