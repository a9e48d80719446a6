import type { ApiClient, JsonPatchOperation } from '@controller-sharding/shared/kube/api-client.ts';
import type { KubeObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';

export const group = 'conformance.example.com';

const custom = (resource: string, kind: string, namespaced: boolean): Resource => ({
  group,
  version: 'v1',
  resource,
  kind,
  namespaced,
});

/** Custom resource with the status subresource. */
export const widgets = custom('widgets', 'Widget', true);
/** Custom resource without it. */
export const gadgets = custom('gadgets', 'Gadget', true);
/** Cluster-scoped custom resource with the status subresource. */
export const fleets = custom('fleets', 'Fleet', false);

/** What their definitions say; conditions in the status are a list that server-side apply merges by type. */
export const customResources = [
  { resource: widgets, statusSubresource: true },
  { resource: gadgets, statusSubresource: false },
  { resource: fleets, statusSubresource: true },
];

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE';

/** What a webhook is asked. */
export interface Review {
  operation: Operation;
  name: string;
  object: KubeObject | undefined;
  oldObject: KubeObject | undefined;
}

/** What it answers: a patch, or why not. */
export type Verdict = { patch: JsonPatchOperation[] } | { denied: string };

export interface Webhook {
  namespace: string;
  operations: Operation[];
  resources: Resource[];
  /** Only objects with this label. */
  label?: string;
  answer(review: Review): Verdict;
}

/** An API server with what surrounds it: a real one, or the one in memory. */
export interface World {
  readonly client: ApiClient;
  readonly clock: Clock;
  /** Makes a namespace and returns its name, which no other object has in its name. */
  namespace(): Promise<string>;
  /** Lets time pass until `look` finds it so. Throws an error that names `what` when that takes too long. */
  until(what: string, look: () => boolean | Promise<boolean>): Promise<void>;
  /** A token like this one whose snapshot is no longer kept. */
  expired(continueToken: string): Promise<string>;
  /** Registers a mutating webhook, for ConfigMaps at least; called from the moment it resolves. */
  webhook(webhook: Webhook): Promise<void>;
}

/** Never kept by an API server that has been compacted. */
export const ancientVersion = '1';
