import { controllerReference } from '@controller-sharding/shared/author/references.ts';
import type { ObjectMeta } from '@controller-sharding/shared/kube/types.ts';
import { nginxConf, pathOf } from './nginx-conf.ts';
import { page } from './page.ts';
import {
  type ConfigMap,
  type Deployment,
  type Ingress,
  type Service,
  skipWorkloadLabel,
  type Theme,
  type Website,
} from './resources.ts';
import { serverDeployment } from './server-deployment.ts';
import { serverLabels, serverName } from './server-labels.ts';

/** What holds for all Websites. */
export interface HostingOptions {
  /** Host of all Ingresses. Default: any. */
  ingressHost?: string | undefined;
  /** Secret with the certificate of that host, in the namespace of each Website. Default: no TLS. */
  ingressTlsSecret?: string | undefined;
  /** No Website gets pods. */
  skipWorkload: boolean;
}

/** What there is to be for a Website. */
export interface Children {
  configMap: ConfigMap;
  deployment: Deployment;
  service: Service;
  ingress: Ingress;
}

/** Of an Ingress that no ingress controller is to act upon. */
const noIngressClass = 'none';
const portName = 'http';

/** Whether the Website gets no pods. */
export const skipsWorkload = ({ metadata }: Website, { skipWorkload }: HostingOptions): boolean =>
  skipWorkload || metadata.labels?.[skipWorkloadLabel] === 'true';

/** The same for the same input: what is there already is not written again. Throws InvalidThemeError. */
export function children(website: Website, theme: Theme, options: HostingOptions): Children {
  const { namespace = '' } = website.metadata;
  const name = serverName(website);
  const labels = serverLabels(website);
  const metadata: ObjectMeta = { name, namespace, labels, ownerReferences: [controllerReference(website)] };
  const data = { 'index.html': page(website, theme), 'nginx.conf': nginxConf(website) };
  const runs = !skipsWorkload(website, options);
  return {
    configMap: { metadata, data },
    deployment: {
      metadata,
      spec: serverDeployment({ name, labels, data, portName, replicas: runs ? 1 : 0 }),
    },
    service: {
      metadata,
      spec: {
        selector: labels,
        ports: [{ name: portName, port: 80, protocol: 'TCP', targetPort: portName }],
      },
    },
    ingress: { metadata, spec: ingressSpec(website, name, options, runs) },
  };
}

function ingressSpec(website: Website, service: string, options: HostingOptions, runs: boolean): object {
  const { ingressHost: host, ingressTlsSecret: secretName } = options;
  const backend = { service: { name: service, port: { name: portName } } };
  const http = { paths: [{ path: pathOf(website), pathType: 'Prefix', backend }] };
  return {
    ...(!runs && { ingressClassName: noIngressClass }),
    rules: [{ ...(host && { host }), http }],
    ...(host && secretName && { tls: [{ hosts: [host], secretName }] }),
  };
}
