import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { waitFor } from '../harness/wait-for.ts';
import type { SuiteCluster } from './suite-cluster.ts';

const manifests = fileURLToPath(new URL('../../manifests', import.meta.url));

/** What is installed: a folder of manifests, and `repository:tag`. */
export interface Version {
  manifests: string;
  image: string;
}

const underTest = ({ image }: SuiteCluster): Version => ({ manifests, image });

/** Writes a kustomization that takes a folder of the manifests with the image meant; returns its folder. */
async function kustomization(
  cluster: SuiteCluster,
  path: string,
  patches: object[],
  version = underTest(cluster),
): Promise<string> {
  const folder = join(cluster.folder, path.replaceAll('/', '-'));
  await mkdir(folder, { recursive: true });
  const colon = version.image.lastIndexOf(':');
  const text = stringify({
    resources: [relative(folder, join(version.manifests, path))],
    images: [
      {
        name: 'controller-sharding',
        newName: version.image.slice(0, colon),
        newTag: version.image.slice(colon + 1),
      },
    ],
    patches,
  });
  await writeFile(join(folder, 'kustomization.yaml'), text);
  return folder;
}

export async function installSharder(cluster: SuiteCluster, version?: Version): Promise<void> {
  await cluster.kubectl(`apply -k ${await kustomization(cluster, 'sharder/default', [], version)}`);
  await cluster.kubectl('wait --for=condition=Established crd controllerrings.sharding.timebertt.dev');
  await rolledOut(cluster, 'sharding-system', 'sharder');
}

export async function installChecksumOperator(
  cluster: SuiteCluster,
  patches: object[] = [],
  version?: Version,
): Promise<void> {
  await cluster.kubectl(`apply -k ${await kustomization(cluster, 'operators/checksum', patches, version)}`);
  await rolledOut(cluster, 'checksum-system', 'checksum-operator');
}

/** All its pods are of the newest template, and available. */
export async function rolledOut(cluster: SuiteCluster, namespace: string, name: string): Promise<void> {
  await cluster.kubectl(`-n ${namespace} rollout status deployment ${name} --timeout=90s`);
}

/** Removes everything, also what a story that failed has left. */
export async function removeAll(cluster: SuiteCluster): Promise<void> {
  // Where there is no such definition, kubectl refuses what names its kind.
  await cluster.kubectl(`apply -f ${join(manifests, 'crds/controllerring.yaml')}`);
  await cluster.kubectl('wait --for=condition=Established crd controllerrings.sharding.timebertt.dev');
  const kinds = 'controllerrings,mutatingwebhookconfigurations';
  await cluster.kubectl(
    `delete ${kinds} -l app.kubernetes.io/part-of=controller-sharding --ignore-not-found`,
  );
  for (const path of ['operators/checksum', 'operators/webhosting-autoscaling/cpu', 'sharder/default']) {
    await cluster.kubectl(`delete --ignore-not-found -k ${await kustomization(cluster, path, [])}`);
  }
  await waitFor(
    'the namespaces to be gone',
    async () => {
      const names = await cluster.kubectl('get namespaces -o name');
      return !/(checksum|webhosting|sharding)-system/.test(names);
    },
    { timeoutMs: 90_000 },
  );
}
