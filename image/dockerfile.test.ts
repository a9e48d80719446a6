import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { imageConfig } from './build-image.ts';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

test('the Dockerfile and the build without Docker run the same in the same way', () => {
  const { version }: { version: string } = JSON.parse(read('../package.json'));
  const [, last = ''] = read('../Dockerfile').split('FROM scratch\n');
  const config = imageConfig({ version, revision: 'unknown', created: '' });
  const value = (instruction: string): string =>
    new RegExp(`^${instruction} (.*)$`, 'm').exec(last)?.[1] ?? `no ${instruction}`;
  assert.deepEqual(JSON.parse(value('ENTRYPOINT')), config.Entrypoint);
  assert.deepEqual(value('ENV').split(' '), config.Env);
  assert.equal(value('USER'), config.User);
  assert.equal(value('WORKDIR'), config.WorkingDir);
  assert.equal(value('STOPSIGNAL'), config.StopSignal);
  const argumentsGiven = Object.fromEntries(
    [...last.matchAll(/^ARG (\w+)=(.*)$/gm)].map(([, name = '', text = '']) => [name, text]),
  );
  const labels = [...last.matchAll(/(org\.opencontainers\.\S+)="(.*?)"/g)].map(([, name = '', text = '']) => [
    name,
    text.replace(/\$\{(\w+)\}/, (_all, argument: string) => argumentsGiven[argument] ?? ''),
  ]);
  const { 'org.opencontainers.image.created': _, ...expected } = config.Labels; // Docker says that by itself
  assert.deepEqual(Object.fromEntries(labels), expected);
});
