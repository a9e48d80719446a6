import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildImage } from '@controller-sharding/image/build-image.ts';
import { programs } from '@controller-sharding/image/programs.ts';
import { parseAllDocuments } from 'yaml';
import { waitFor } from '../harness/wait-for.ts';
import { Container, whyNoContainers } from './container.ts';
import { type UnpackedImage, unpackImage } from './unpack-image.ts';

const MOST_BYTES = 60e6;
const manifests = fileURLToPath(new URL('../../manifests', import.meta.url));
const provenance = { version: '1.2.3', revision: 'abc', created: '2026-01-02T03:04:05Z' };

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'controller-sharding-image-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The arguments that containers of the image get from the manifests. */
async function argumentsInManifests(): Promise<string[][]> {
  const files = (await readdir(manifests, { recursive: true })).filter((name) => name.endsWith('.yaml'));
  const found: string[][] = [];
  for (const file of files) {
    for (const document of parseAllDocuments(await readFile(join(manifests, file), 'utf8'))) {
      const containers: Array<{ image: string; args: string[] }> =
        document.toJS()?.spec?.template?.spec?.containers ?? [];
      found.push(
        ...containers.filter(({ image }) => image === 'controller-sharding').map(({ args }) => args),
      );
    }
  }
  return found;
}

/** An API server that takes connections and never answers. */
async function silentServer(t: TestContext): Promise<{ url: string; connections(): number }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => {}).resume();
    t.after(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { url: `https://127.0.0.1:${address.port}`, connections: () => connections };
}

async function sharderConfig(folder: string, server: string): Promise<void> {
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'silent', cluster: { server } }],
    contexts: [{ name: 'silent', context: { cluster: 'silent', user: 'nobody' } }],
    'current-context': 'silent',
    users: [{ name: 'nobody', user: {} }],
  };
  const config = {
    apiVersion: 'config.sharding.timebertt.dev/v1alpha1',
    kind: 'SharderConfig',
    clientConnection: { kubeconfig: '/tmp/kubeconfig' },
    health: { bindAddress: '127.0.0.1:0' },
    metrics: { bindAddress: '127.0.0.1:0' },
  };
  await writeFile(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig));
  await writeFile(join(folder, 'config.yaml'), JSON.stringify(config));
}

test('the image', { timeout: 300_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  const image = await buildImage(provenance);
  const { root, config }: UnpackedImage = await unpackImage(image.archive, folder);
  t.diagnostic(`${(image.transferBytes / 1e6).toFixed(1)} MB to transfer`);

  await t.test('takes at most 60 MB to transfer', () => {
    assert.ok(image.transferBytes <= MOST_BYTES, String(image.transferBytes));
    assert.ok(image.archive.length > image.transferBytes);
  });

  await t.test('is the same when it is built again', async () => {
    const again = await buildImage(provenance);
    assert.equal(again.digest, image.digest);
    assert.ok(again.archive.equals(image.archive));
  });

  await t.test('holds no other program than Node', async () => {
    assert.deepEqual(await readdir(join(root, 'bin')), ['node']);
    const top = ['app', 'bin', 'dev', 'etc', 'lib', 'lib64', 'licenses', 'proc', 'sys', 'tmp'];
    assert.deepEqual(
      (await readdir(root)).filter((name) => !top.includes(name)),
      [],
    );
  });

  await t.test('says what it consists of and where it comes from', async () => {
    const text = await readFile(join(root, 'app/sbom.cdx.json'), 'utf8');
    assert.equal(text, image.bill);
    const { components }: { components: Array<{ name: string; version?: string; purl?: string }> } =
      JSON.parse(text);
    const purls = components.map(({ purl = '' }) => purl);
    assert.ok(purls.includes(`pkg:generic/node@${process.versions.node}`));
    for (const name of ['fastify', 'undici', 'zod', '%40peculiar/x509']) {
      assert.ok(
        purls.some((purl) => purl.startsWith(`pkg:npm/${name}@`)),
        name,
      );
    }
    assert.ok(!purls.some((purl) => purl.startsWith('pkg:npm/typescript@')));
    assert.deepEqual(config.Labels['org.opencontainers.image.revision'], 'abc');
    assert.deepEqual(config.Labels['org.opencontainers.image.version'], '1.2.3');
    const licenses = await readFile(join(root, 'licenses/npm'), 'utf8');
    assert.match(licenses, /^fastify 5\.\S+ \(MIT\)\n\nMIT License/m);
  });

  await t.test('in a container', { skip: whyNoContainers() ?? false }, async (containers) => {
    const mounted = join(folder, 'mounted');
    await mkdir(mounted);
    assert.equal((await stat(root)).mode & 0o777, 0o755); // the user gets in
    const start = (step: TestContext, ...args: string[]): Container => {
      const container = new Container({
        root,
        mounted,
        user: config.User,
        command: [...config.Entrypoint, ...args],
      });
      step.after(() => container.kill());
      return container;
    };

    for (const [program = '', ...args] of await argumentsInManifests()) {
      await containers.test(`${program} starts as the manifests start it`, async (step) => {
        assert.ok(Object.hasOwn(programs, program));
        const container = start(step, program, ...args, '--help');
        assert.deepEqual([await container.exited, container.errors], [0, '']);
        assert.match(container.output, new RegExp(`^${program}`));
        step.diagnostic(`${program} --help: ${Math.round(performance.now() - container.startedAt)} ms`);
      });
    }

    await containers.test('the file system cannot be written to, by a user without rights', async (step) => {
      const node = join('/', 'bin/node');
      const script =
        'console.log(process.pid, process.getuid(), process.getgid()); fs.writeFileSync("/app/x", "")';
      const container = new Container({
        root,
        mounted,
        user: config.User,
        command: [node, '--eval', script],
      });
      step.after(() => container.kill());
      assert.equal(await container.exited, 1);
      assert.equal(container.output, '1 65532 65532\n');
      assert.match(container.errors, /EROFS/);
    });

    await containers.test(
      'SIGTERM ends it while it waits for an API server that does not answer',
      async (step) => {
        const server = await silentServer(step);
        await sharderConfig(mounted, server.url);
        const container = start(step, 'sharder', 'run', '--config=/tmp/config.yaml');
        await waitFor('a connection to the API server', () => server.connections() > 0, { everyMs: 5 });
        step.diagnostic(`sharder connects after ${Math.round(performance.now() - container.startedAt)} ms`);
        const stoppedAt = performance.now();
        container.signal('SIGTERM');
        assert.equal(await container.exited, 0, container.errors);
        const took = performance.now() - stoppedAt;
        step.diagnostic(`ended after ${Math.round(took)} ms`);
        assert.ok(took < 2_000, `${took} ms`);
        assert.equal(container.errors, '');
      },
    );

    await containers.test('SIGTERM ends it while it starts', async (step) => {
      const server = await silentServer(step);
      await sharderConfig(mounted, server.url);
      const container = start(step, 'sharder', 'run', '--config=/tmp/config.yaml');
      // Until its JavaScript runs, Node answers the signal by a default that the first process doesn't have: it is lost.
      const signals = setInterval(() => container.signal('SIGTERM'), 10);
      step.after(() => clearInterval(signals));
      assert.equal(await container.exited, 0, container.errors);
      step.diagnostic(`ended after ${Math.round(performance.now() - container.startedAt)} ms`);
    });
  });
});
