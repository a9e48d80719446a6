import type { JsonPatchOperation } from '../kube/api-client.ts';
import { ApiError, messageOf } from '../kube/errors.ts';
import { type KubeObject, type Labels, type Resource, resourceName } from '../kube/types.ts';
import type { Clock } from '../runtime/clock.ts';
import { cloneJson, jsonEquals } from './json.ts';
import { jsonPatched } from './json-patch.ts';
import { type LabelSelector, selectorPredicate } from './label-selector.ts';
import { internalError } from './status-errors.ts';

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE';

/** What a webhook is asked, as an AdmissionReview's request has it. */
export interface AdmissionRequest {
  uid: string;
  operation: AdmissionOperation;
  resource: { group: string; version: string; resource: string };
  kind: { group: string; version: string; kind: string };
  /** `status` or ''. */
  subResource: string;
  /** Empty for objects whose name is yet to be generated. */
  name: string;
  namespace: string;
  userInfo: { username: string; groups: string[] };
  /** Null in a delete. */
  object: KubeObject | null;
  /** Null in a create. */
  oldObject: KubeObject | null;
}

export interface AdmissionResponse {
  allowed: boolean;
  patch?: JsonPatchOperation[] | undefined;
  /** Of a rejection. Default code: 400. */
  status?: { code?: number; reason?: string; message?: string } | undefined;
}

/** A mutating webhook, with the meaning and defaults of a MutatingWebhookConfiguration's. */
export interface MutatingWebhook {
  name: string;
  rules: { operations: AdmissionOperation[]; resource: Resource; subResource?: string | undefined }[];
  objectSelector?: LabelSelector | undefined;
  namespaceSelector?: LabelSelector | undefined;
  /** What follows when `handle` throws or takes longer than its timeout. Default `Fail`. */
  failurePolicy?: 'Fail' | 'Ignore' | undefined;
  /** `IfNeeded`: called once more when a later webhook changed the object. Default `Never`. */
  reinvocationPolicy?: 'Never' | 'IfNeeded' | undefined;
  /** Default 10. */
  timeoutSeconds?: number | undefined;
  handle(request: AdmissionRequest): AdmissionResponse | Promise<AdmissionResponse>;
}

export interface AdmissionAttributes
  extends Pick<AdmissionRequest, 'operation' | 'subResource' | 'userInfo'> {
  resource: Resource;
  object: KubeObject | undefined;
  oldObject: KubeObject | undefined;
}

/** Calls the mutating webhooks that a request concerns. */
export class Admission {
  readonly #clock: Clock;
  readonly #labelsOfNamespace: (name: string) => Labels;
  readonly #webhooks = new Set<MutatingWebhook>();
  #requests = 0;

  constructor(clock: Clock, labelsOfNamespace: (name: string) => Labels) {
    this.#clock = clock;
    this.#labelsOfNamespace = labelsOfNamespace;
  }

  /** Called after those added before it, as by name with a real API server. Returns what removes it. */
  add(webhook: MutatingWebhook): () => void {
    this.#webhooks.add(webhook);
    return () => void this.#webhooks.delete(webhook);
  }

  concerns(attributes: AdmissionAttributes): boolean {
    return [...this.#webhooks].some((webhook) => this.#isConcerned(webhook, attributes));
  }

  /** The object as the webhooks want it. Throws ApiError when one of them rejects the request, or fails. */
  async admit(attributes: AdmissionAttributes): Promise<KubeObject | undefined> {
    let object = attributes.object;
    const left = new Map<MutatingWebhook, KubeObject | undefined>();
    for (const webhook of this.#webhooks) {
      if (!this.#isConcerned(webhook, { ...attributes, object })) continue;
      object = await this.#call(webhook, { ...attributes, object });
      left.set(webhook, object);
    }
    for (const [webhook, seen] of left) {
      if (webhook.reinvocationPolicy !== 'IfNeeded' || jsonEquals(seen, object)) continue;
      object = await this.#call(webhook, { ...attributes, object });
    }
    return object;
  }

  #isConcerned(webhook: MutatingWebhook, attributes: AdmissionAttributes): boolean {
    const { resource, operation, subResource, object, oldObject } = attributes;
    const isRuled = webhook.rules.some(
      (rule) =>
        resourceName(rule.resource) === resourceName(resource) &&
        (rule.subResource ?? '') === subResource &&
        rule.operations.includes(operation),
    );
    if (!isRuled) return false;
    const selects = selectorPredicate(webhook.objectSelector ?? {});
    const objects = [object, oldObject].filter((candidate) => candidate !== undefined);
    if (!objects.some(({ metadata }) => selects(metadata.labels))) return false;
    const selectsNamespace = selectorPredicate(webhook.namespaceSelector ?? {});
    const { metadata } = object ?? oldObject ?? { metadata: { name: '' } };
    if (resource.namespaced) return selectsNamespace(this.#labelsOfNamespace(metadata.namespace ?? ''));
    return resourceName(resource) !== 'namespaces' || selectsNamespace(metadata.labels);
  }

  async #call(webhook: MutatingWebhook, attributes: AdmissionAttributes): Promise<KubeObject | undefined> {
    const request = this.#request(attributes);
    let response: AdmissionResponse;
    let patched = attributes.object;
    try {
      response = await this.#withTimeout(webhook, request);
      if (response.allowed && response.patch && patched) patched = jsonPatched(patched, response.patch);
    } catch (error) {
      if (webhook.failurePolicy === 'Ignore') return attributes.object;
      const what = `failed calling webhook ${JSON.stringify(webhook.name)}: failed to call webhook`;
      throw internalError(`Internal error occurred: ${what}: ${messageOf(error)}`);
    }
    if (!response.allowed) throw denied(webhook, response);
    return patched;
  }

  async #withTimeout(webhook: MutatingWebhook, request: AdmissionRequest): Promise<AdmissionResponse> {
    const { promise, reject } = Promise.withResolvers<never>();
    const cancel = this.#clock.after((webhook.timeoutSeconds ?? 10) * 1_000, () => {
      reject(new Error('context deadline exceeded'));
    });
    try {
      return await Promise.race([webhook.handle(request), promise]);
    } finally {
      cancel();
    }
  }

  #request({ resource, object, oldObject, ...rest }: AdmissionAttributes): AdmissionRequest {
    const { group, version, kind } = resource;
    const { metadata } = object ?? oldObject ?? { metadata: { name: '' } };
    this.#requests += 1;
    return {
      uid: `admission-${this.#requests}`,
      ...rest,
      resource: { group, version, resource: resource.resource },
      kind: { group, version, kind },
      name: metadata.name ?? '',
      namespace: metadata.namespace ?? '',
      object: cloneJson(object ?? null),
      oldObject: cloneJson(oldObject ?? null),
    };
  }
}

function denied({ name }: MutatingWebhook, { status = {} }: AdmissionResponse): ApiError {
  const code = Math.max(status.code ?? 0, 400);
  const why = status.message ?? status.reason;
  const text = `admission webhook ${JSON.stringify(name)} denied the request`;
  const reason = status.reason ?? (code === 403 ? 'Forbidden' : code === 400 ? 'BadRequest' : 'Unknown');
  return new ApiError(code, reason, why === undefined ? `${text} without explanation` : `${text}: ${why}`);
}
