import {
  systemClock as clock,
  configMaps,
  connect,
  createLogger,
  createRegistry,
  type KubeObject,
  Manager,
  namespaces,
  runProcess,
} from '@controller-sharding/shared';

interface TeamMap extends KubeObject {
  data?: { team: string };
}

// Each Namespace with the label example.com/team gets a ConfigMap that names the team.
await runProcess('team-controller', async (stop) => {
  const name = 'team-controller';
  const logger = createLogger({ name, level: 'info' });
  const registry = createRegistry();
  const api = connect({ clock, registry }); // $KUBECONFIG, else the pod's account, else ~/.kube/config
  const leaderElection = { namespace: api.namespace, name };
  const manager = new Manager({ client: api.client, clock, logger, registry, leaderElection });
  const { client, informers } = manager; // this client writes only while the process leads
  const labels = { 'app.kubernetes.io/managed-by': name };
  const labelSelector = `app.kubernetes.io/managed-by=${name}`;
  const teams = informers.acquire({ resource: namespaces, form: 'metadata' }).informer;
  const maps = informers.acquire<TeamMap>({ resource: configMaps, form: 'full', labelSelector }).informer;

  const reconcile = async (namespace: string, signal: AbortSignal): Promise<void> => {
    const known = teams.store.get(namespace)?.metadata;
    const team = known?.deletionTimestamp ? undefined : known?.labels?.['example.com/team'];
    if (maps.store.get(`${namespace}/team`)?.data?.team === team) return;
    const metadata = { namespace, name: 'team', labels };
    if (team === undefined) return client.delete(configMaps, metadata, { signal });
    const body: TeamMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { team } };
    await client.patch(configMaps, metadata, { type: 'apply', body, fieldManager: name }, { signal });
  };
  const controller = manager.addController({ name: 'team', reconcile });
  const enqueue = ({ metadata }: KubeObject) => controller.enqueue(metadata.namespace ?? metadata.name);
  teams.addHandler({ added: enqueue, updated: (_, now) => enqueue(now), deleted: enqueue });
  maps.addHandler({ added: enqueue, updated: (_, now) => enqueue(now), deleted: enqueue });
  await manager.start(stop);
});
