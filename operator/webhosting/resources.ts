import {
  configMaps as anyConfigMaps,
  deployments as anyDeployments,
} from '@controller-sharding/shared/kube/resources.ts';
import {
  defineResource,
  type KubeObject,
  type Labels,
  type ObjectMeta,
  type Resource,
} from '@controller-sharding/shared/kube/types.ts';

export const operatorName = 'webhosting-operator';
const group = { group: 'webhosting.timebertt.dev', version: 'v1alpha1' };

export type Phase = 'Pending' | 'Ready' | 'Error' | 'Terminating';

export interface WebsiteStatus {
  phase?: Phase;
  /** Generation of the spec that the phase is about. */
  observedGeneration?: number;
  /** When phase or observedGeneration last changed, in microseconds. */
  lastTransitionTime?: string;
}

/** A page of its own, in the look of a Theme. */
export interface Website extends KubeObject {
  spec: {
    /** Name of a Theme. */
    theme: string;
  };
  status?: WebsiteStatus;
}

export interface ThemeSpec {
  /** A CSS colour. */
  color: string;
  /** CSS font families, in order of preference. */
  fontFamily: string;
}

export interface Theme extends KubeObject {
  spec: ThemeSpec;
}

export interface ConfigMap extends KubeObject {
  data: Record<string, string>;
}

export interface Deployment extends KubeObject {
  spec: {
    replicas: number;
    revisionHistoryLimit: number;
    selector: { matchLabels: Labels };
    template: { metadata: Partial<ObjectMeta>; spec: object };
  };
  status?: { observedGeneration?: number; updatedReplicas?: number; availableReplicas?: number };
}

export interface Service extends KubeObject {
  spec: object;
}

export interface Ingress extends KubeObject {
  spec: object;
}

export const websites = defineResource<Website>({
  ...group,
  resource: 'websites',
  kind: 'Website',
  namespaced: true,
});
export const themes = defineResource<Theme>({
  ...group,
  resource: 'themes',
  kind: 'Theme',
  namespaced: false,
});
export const configMaps = defineResource<ConfigMap>(anyConfigMaps);
export const deployments = defineResource<Deployment>(anyDeployments);
export const services = defineResource<Service>({
  group: '',
  version: 'v1',
  resource: 'services',
  kind: 'Service',
  namespaced: true,
});
export const ingresses = defineResource<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  resource: 'ingresses',
  kind: 'Ingress',
  namespaced: true,
});

/** Of what there is for each Website. */
export const childResources: readonly Resource[] = [configMaps, deployments, services, ingresses];

/** With the value `true` on a Website: it needs no pods. For load tests. */
export const skipWorkloadLabel = 'skip-workload';
/** With the value `true` on a Namespace: its Websites are looked after. */
export const projectLabel = 'webhosting.timebertt.dev/project';
