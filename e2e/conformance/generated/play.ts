import type { Patch } from '@controller-sharding/shared/kube/api-client.ts';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import type { RecordedWatch } from '../recorded-watch.ts';
import type { Thing } from '../recording-client.ts';
import type { Scenario, Stage } from '../stage.ts';
import {
  type Content,
  fieldsOf,
  lastLabels,
  lastSelected,
  type Said,
  type Sequence,
  type Step,
} from './steps.ts';

/** A generated sequence as a scenario. */
export const scenarioOf = (sequence: Sequence): Scenario => ({
  name: 'generated',
  play: (stage) => new Player(stage, sequence).play(),
});

class Player {
  readonly #stage: Stage;
  readonly #sequence: Sequence;
  readonly #first = new Map<string, Thing>();
  readonly #latest = new Map<string, Thing>();
  readonly #watches: Array<{ watch: RecordedWatch; last: string }> = [];
  #begin = '';
  #page: { labelSelector: string; fieldSelector: string; limit: number; continueToken: string } | undefined;

  constructor(stage: Stage, sequence: Sequence) {
    this.#stage = stage;
    this.#sequence = sequence;
  }

  async play(): Promise<void> {
    const { api, seen } = this.#stage;
    const { resource, steps } = this.#sequence;
    this.#begin = (await api.page(resource)).resourceVersion;
    for (const step of steps) {
      try {
        await this.#do(step);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
      }
    }
    await api.create(resource, { metadata: { name: lastSelected('app'), labels: lastLabels } });
    await api.create(resource, { metadata: { name: lastSelected('') } });
    for (const { watch, last } of this.#watches) {
      await watch.takeUntil(last);
      await seen(watch, 0);
    }
  }

  async #do(step: Step): Promise<void> {
    const { api } = this.#stage;
    const { resource } = this.#sequence;
    switch (step.do) {
      case 'create':
        return this.#keep(await api.create(resource, this.#object(step.name, step.content)));
      case 'update': {
        const { metadata, ...rest } = this.#object(step.name, step.content);
        const { status } = this.#latest.get(step.name) ?? {};
        const said = { ...metadata, ...this.#said(step.name, step.said) };
        return this.#keep(await api.update(resource, { ...rest, ...(status && { status }), metadata: said }));
      }
      case 'update status': {
        const metadata = { name: step.name, ...this.#said(step.name, step.said) };
        return this.#keep(await api.updateStatus(resource, { metadata, status: { app: step.value } }));
      }
      case 'patch':
        return this.#keep(await api.patch(resource, step.name, named(step.patch, step.name)));
      case 'patch status':
        return this.#keep(await api.patchStatus(resource, step.name, step.patch));
      case 'delete': {
        const { uid } = this.#said(step.name, step.uid);
        const { resourceVersion } = this.#said(step.name, step.version);
        return api.delete(resource, step.name, { uid, resourceVersion });
      }
      case 'get':
        return this.#keep(await api.get(resource, step.name));
      case 'list':
        return this.#list(step);
      case 'next page':
        if (this.#page) await this.#list(this.#page);
        return;
      case 'watch':
        return this.#watch(step);
    }
  }

  async #list(selection: {
    labelSelector: string;
    fieldSelector: string;
    limit: number;
    continueToken?: string;
  }): Promise<void> {
    const { labelSelector, fieldSelector, limit, continueToken } = selection;
    const options = {
      labelSelector,
      fieldSelector,
      limit,
      ...(continueToken !== undefined && { continueToken }),
    };
    const page = await this.#stage.api.page(this.#sequence.resource, options);
    this.#page =
      page.continue === undefined
        ? undefined
        : { labelSelector, fieldSelector, limit, continueToken: page.continue };
  }

  async #watch({ labelSelector, fieldSelector, from }: Extract<Step, { do: 'watch' }>): Promise<void> {
    const latest = [...this.#latest.values()].at(-1)?.metadata.resourceVersion;
    const resourceVersion = from === 'now' ? (latest ?? this.#begin) : this.#begin;
    const start = from === 'initial' ? { sendInitialEvents: true } : { resourceVersion };
    const options = { labelSelector, fieldSelector, ...start };
    const watch = this.#stage.watch(this.#sequence.resource, options);
    this.#watches.push({ watch, last: lastSelected(labelSelector) });
    if (from === 'initial') await watch.listed();
  }

  #object(name: string, { labels, finalizers, fields }: Content): Thing {
    return { metadata: { name, labels, finalizers }, ...fieldsOf(this.#sequence.resource, fields) };
  }

  #said(name: string, said: Said): { uid?: string; resourceVersion?: string } {
    const known = (said === 'first' ? this.#first : this.#latest).get(name);
    if (said === 'none' || !known) return {};
    const { uid = '', resourceVersion = '' } = known.metadata;
    return { uid, resourceVersion };
  }

  /** The last one read is the last in the map. */
  #keep(object: Thing): void {
    const { name } = object.metadata;
    if (!this.#first.has(name)) this.#first.set(name, object);
    this.#latest.delete(name);
    this.#latest.set(name, object);
  }
}

const named = (patch: Patch, name: string): Patch =>
  patch.type === 'apply'
    ? { ...patch, body: { ...patch.body, metadata: { ...patch.body.metadata, name } } }
    : patch;
