import type { ReconcileClient } from '@controller-sharding/shared/author/reconcile-client.ts';
import type { Request } from '@controller-sharding/shared/controller/definition.ts';
import type { EventSink } from '@controller-sharding/shared/events/event-recorder.ts';
import { ApiError, isNotFound, messageOf } from '@controller-sharding/shared/kube/errors.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import { children, type HostingOptions, skipsWorkload } from './children.ts';
import { type Finding, phaseOf, statusOf } from './phase.ts';
import type { Deployment, Theme, Website } from './resources.ts';
import * as resources from './resources.ts';
import { InvalidThemeError } from './stylesheet.ts';

export interface WebsiteReconcilerOptions extends HostingOptions {
  /** Of the cache. */
  theme(name: string): Theme | undefined;
  events: EventSink;
  clock: Pick<Clock, 'now'>;
}

/** Makes what a Website needs to be served, and says in its status how far that is. */
export function websiteReconciler(options: WebsiteReconcilerOptions) {
  return async ({ object: website, client }: Request<Website>): Promise<void> => {
    const { finding, error } = await serve(website, client, options);
    await report(website, client, finding, options);
    if (error !== undefined) throw error;
  };
}

interface Served {
  finding: Finding;
  /** Why it has to be tried again. */
  error?: unknown;
}

async function serve(
  website: Website,
  client: ReconcileClient,
  options: WebsiteReconcilerOptions,
): Promise<Served> {
  if (website.metadata.deletionTimestamp !== undefined) return { finding: { kind: 'going' } };
  const theme = await themeOf(website, client, options);
  if (theme === undefined) {
    // When it appears, its event reconciles the Website.
    const note = `There is no Theme ${website.spec.theme}`;
    return { finding: { kind: 'faulty', reason: 'ThemeNotFound', note } };
  }
  try {
    const deployment = await applyChildren(website, theme, client, options);
    return { finding: { kind: 'served', deployment, needsPods: !skipsWorkload(website, options) } };
  } catch (error) {
    if (error instanceof InvalidThemeError) {
      const note = `Theme ${theme.metadata.name}: ${error.message}`;
      return { finding: { kind: 'faulty', reason: 'ThemeInvalid', note } };
    }
    if (!isRefusal(error)) throw error;
    return { finding: { kind: 'faulty', reason: 'Refused', note: messageOf(error) }, error };
  }
}

/** A Theme that was just created may be in the API server before it is in the cache. */
async function themeOf(
  { spec: { theme: name } }: Website,
  client: ReconcileClient,
  { theme }: WebsiteReconcilerOptions,
): Promise<Theme | undefined> {
  const known = theme(name);
  if (known !== undefined) return known;
  try {
    return await client.get(resources.themes, { name });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function applyChildren(
  website: Website,
  theme: Theme,
  client: ReconcileClient,
  options: HostingOptions,
): Promise<Deployment> {
  const { configMap, deployment, service, ingress } = children(website, theme, options);
  const [applied] = await Promise.all([
    client.apply(resources.deployments, deployment),
    client.apply(resources.configMaps, configMap),
    client.apply(resources.services, service),
    client.apply(resources.ingresses, ingress),
  ]);
  return applied;
}

/** The API server doesn't take it as it is, by its rules, quotas or policies: nothing that goes by in a moment. */
const isRefusal = (error: unknown): boolean =>
  error instanceof ApiError && [400, 403, 422].includes(error.status);

async function report(
  website: Website,
  client: ReconcileClient,
  finding: Finding,
  { events, clock }: WebsiteReconcilerOptions,
): Promise<void> {
  const status = statusOf(website, phaseOf(finding), clock.now());
  const written = await client.setStatus(resources.websites, website, status);
  if (finding.kind !== 'faulty' || written === website) return;
  const { reason, note } = finding;
  events.record({ regarding: website, type: 'Warning', reason, action: 'Serve', note });
}
