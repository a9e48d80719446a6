import { hash } from 'node:crypto';
import type { Labels } from '@controller-sharding/shared/kube/types.ts';
import { configFolder, healthPath, httpPort, pageFolder } from './nginx-conf.ts';
import type { Deployment } from './resources.ts';

const image = 'nginx:1.29-alpine';
/** The image's own user. */
const nginxUser = 101;

export interface ServerOptions {
  /** Of the ConfigMap. */
  name: string;
  /** Of the pods, and by which the Deployment finds them. */
  labels: Labels;
  /** Of the ConfigMap: nginx reads it once, other data need other pods. */
  data: Record<string, string>;
  portName: string;
  replicas: number;
}

/** An nginx that serves the page in a ConfigMap. */
export function serverDeployment(options: ServerOptions): Deployment['spec'] {
  const { name, labels, data, portName, replicas } = options;
  const volume = (volumeName: string, key: string) => ({
    name: volumeName,
    configMap: { name, items: [{ key, path: key }] },
  });
  return {
    replicas,
    revisionHistoryLimit: 2,
    selector: { matchLabels: labels },
    template: {
      metadata: {
        labels,
        annotations: { 'checksum/configmap': hash('sha256', JSON.stringify(data), 'hex') },
      },
      spec: {
        automountServiceAccountToken: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: nginxUser,
          runAsGroup: nginxUser,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        containers: [
          {
            name: 'nginx',
            image,
            // Not through the image's entry point, which would change the configuration.
            command: ['nginx', '-c', `${configFolder}/nginx.conf`, '-g', 'daemon off;'],
            ports: [{ name: portName, containerPort: httpPort, protocol: 'TCP' }],
            readinessProbe: { httpGet: { path: healthPath, port: portName }, periodSeconds: 5 },
            resources: { requests: { cpu: '5m', memory: '8Mi' }, limits: { memory: '32Mi' } },
            securityContext: {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
            },
            volumeMounts: [
              { name: 'page', mountPath: pageFolder, readOnly: true },
              { name: 'config', mountPath: configFolder, readOnly: true },
              { name: 'tmp', mountPath: '/tmp' },
            ],
          },
        ],
        volumes: [
          volume('page', 'index.html'),
          volume('config', 'nginx.conf'),
          { name: 'tmp', emptyDir: { sizeLimit: '16Mi' } },
        ],
      },
    },
  };
}
