import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { MemoryApi } from '@controller-sharding/shared/testing/memory-api.ts';
import { page } from '../page.ts';
import * as resources from '../resources.ts';
import { createSamples } from './create.ts';
import { type SampleOptions, samples } from './samples.ts';

const options: SampleOptions = { websites: 2_000, namespaces: 50, themes: 30, seed: 1, skipWorkload: false };
const all = (made: ReturnType<typeof samples>) => ({ ...made, websites: [...made.websites()] });

test('the same seed makes the same samples, and another seed others', () => {
  assert.deepEqual(all(samples(options)), all(samples(options)));
  assert.notDeepEqual(all(samples(options)), all(samples({ ...options, seed: 2 })));
});

test('there are as many as asked for, with names of their own', () => {
  for (const [websites, namespaces, themes] of [
    [1, 1, 1],
    [2_000, 50, 30],
    [10_000, 5_000, 2_000],
  ] as const) {
    const made = all(samples({ ...options, websites, namespaces, themes }));
    const counts = [made.namespaces, made.themes, made.websites].map(
      (objects) => new Set(objects.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).size,
    );
    assert.deepEqual(counts, [namespaces, themes, websites]);
  }
});

test('every website is in one of the projects and has one of the themes, which can be rendered', () => {
  const { namespaces, themes, websites } = all(samples(options));
  const projects = new Set(namespaces.map(({ metadata }) => metadata.name));
  const looks = new Map(themes.map((theme) => [theme.metadata.name, theme]));
  for (const { labels } of namespaces.map(({ metadata }) => metadata))
    assert.deepEqual(labels, { 'webhosting.timebertt.dev/project': 'true' });
  for (const website of websites) {
    const theme = looks.get(website.spec.theme);
    assert.ok(theme && projects.has(website.metadata.namespace ?? ''));
    page(website, theme);
    assert.match(website.metadata.name, /^[a-z][-a-z0-9]{1,54}[a-z0-9]$/);
    assert.equal(website.metadata.labels, undefined);
  }
});

test('a few projects have most of the websites', () => {
  const sizes = new Map<string, number>();
  for (const { metadata } of samples(options).websites())
    sizes.set(metadata.namespace ?? '', (sizes.get(metadata.namespace ?? '') ?? 0) + 1);
  const sorted = [...sizes.values()].toSorted((a, b) => b - a);
  const ofTheLargest = sorted.slice(0, 10).reduce((sum, size) => sum + size, 0);
  assert.ok(ofTheLargest > options.websites / 2 && ofTheLargest < options.websites * 0.8, sorted.join(' '));
  assert.ok(sorted.length > 45);
});

test('what is there already stays as it is', async () => {
  const api = new MemoryApi(new FakeClock(), {
    resources: [resources.websites, resources.themes],
    checkNamespaces: true,
  });
  const { signal } = new AbortController();
  const few = { ...options, websites: 40, namespaces: 5, themes: 3, skipWorkload: true };
  assert.equal(await createSamples(api, samples(few), signal), 48);
  assert.equal(await createSamples(api, samples({ ...few, websites: 50 }), signal), 10);
  const websites = api.all<resources.Website>(resources.websites);
  assert.equal(websites.length, 50);
  for (const { metadata } of websites) assert.deepEqual(metadata.labels, { 'skip-workload': 'true' });
});
