import { createServer, type Server } from 'node:https';
import { text } from 'node:stream/consumers';
import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { configMaps, mutatingWebhookConfigurations } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { CertificateAuthority } from '../harness/certificates.ts';
import { waitFor } from '../harness/wait-for.ts';
import { isOfScenario } from './recording-client.ts';
import type { Operation, Verdict, Webhook } from './world.ts';

interface AdmissionReview {
  request: {
    uid: string;
    operation: Operation;
    namespace: string;
    name?: string;
    object: KubeObject | null;
    oldObject: KubeObject | null;
  };
}

/** ConfigMaps of this name only ask whether the webhook is called yet. */
const probe = 'probe';

/** Answers the admission reviews of a real API server with functions. */
export class WebhookServer {
  readonly #server: Server;
  readonly #certificate: string;
  /** By namespace, which is their path, too. */
  readonly #webhooks = new Map<string, Webhook>();
  readonly #probed = new Set<string>();

  private constructor(server: Server, certificate: string) {
    this.#server = server;
    this.#certificate = certificate;
  }

  static async start(): Promise<WebhookServer> {
    const authority = await CertificateAuthority.create('webhooks');
    const { key, certificate } = await authority.serving('webhooks', ['127.0.0.1'], ['localhost']);
    const server = createServer({ key, cert: certificate });
    const webhooks = new WebhookServer(server, authority.certificate);
    server.on('request', (request, response) => {
      void text(request).then(
        (body) => response.end(JSON.stringify(webhooks.#answer(JSON.parse(body)))),
        () => response.writeHead(400).end(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return webhooks;
  }

  /** Resolves when the API server calls it. */
  async register(client: ApiClient, webhook: Webhook): Promise<void> {
    const { namespace, operations, resources, label } = webhook;
    this.#webhooks.set(namespace, webhook);
    const address = this.#server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const hook = {
      name: 'conformance.example.com',
      clientConfig: {
        url: `https://127.0.0.1:${port}/${namespace}`,
        caBundle: Buffer.from(this.#certificate).toString('base64'),
      },
      rules: resources.map(({ group, version, resource }) => ({
        apiGroups: [group],
        apiVersions: [version],
        resources: [resource],
        operations: [...new Set([...operations, 'CREATE'])],
      })),
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      objectSelector: label === undefined ? {} : { matchExpressions: [{ key: label, operator: 'Exists' }] },
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
    };
    const configuration = Object.assign({ metadata: { name: namespace } }, { webhooks: [hook] });
    await client.create(mutatingWebhookConfigurations, configuration);
    await waitFor(`the webhook of ${namespace} to be called`, () => this.#isCalled(client, webhook));
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #isCalled(client: ApiClient, { namespace, label }: Webhook): Promise<boolean> {
    const labels = label === undefined ? {} : { [label]: '' };
    await client.create(configMaps, { metadata: { name: probe, namespace, labels } });
    await client.delete(configMaps, { name: probe, namespace });
    return this.#probed.has(namespace);
  }

  #answer({ request }: AdmissionReview): object {
    const { uid, operation, object, oldObject, namespace, name = '' } = request;
    const webhook = this.#webhooks.get(namespace);
    const concerned = object ?? oldObject;
    const isProbe = concerned?.metadata.name === probe;
    if (isProbe) this.#probed.add(namespace);
    const ofScenario = concerned !== null && !isProbe && isOfScenario(concerned);
    const asked = ofScenario && webhook?.operations.includes(operation) === true;
    const review = { operation, name, object: object ?? undefined, oldObject: oldObject ?? undefined };
    const verdict: Verdict = asked ? webhook.answer(review) : { patch: [] };
    return {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid, ...responseOf(verdict) },
    };
  }
}

function responseOf(verdict: Verdict): object {
  if ('denied' in verdict) return { allowed: false, status: { code: 403, message: verdict.denied } };
  if (verdict.patch.length === 0) return { allowed: true };
  const patch = Buffer.from(JSON.stringify(verdict.patch)).toString('base64');
  return { allowed: true, patchType: 'JSONPatch', patch };
}
