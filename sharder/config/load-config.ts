import { readFileSync } from 'node:fs';
import { messageOf } from '@controller-sharding/shared/kube/errors.ts';
import { UsageError } from '@controller-sharding/shared/runtime/process.ts';
import { parseDocument } from 'yaml';
import type * as z from 'zod';
import { configFlags } from './flags.ts';
import { type SharderConfig, sharderConfig } from './schema.ts';

export type FlagValues = Readonly<Record<string, string | number | boolean | undefined>>;

const head = { apiVersion: 'config.sharding.timebertt.dev/v1alpha1', kind: 'SharderConfig' };

/**
 * The configuration: the file, if one is named, and over it the flags that were given (by their names). Throws
 * UsageError with a line for every field that is unknown, missing or wrong: where it is, and what is expected.
 */
export function loadConfig(file: string | undefined, flags: FlagValues): SharderConfig {
  const document = file === undefined ? { ...head } : readYaml(file);
  const flagOf = new Map<string, string>();
  for (const [flag, value] of Object.entries(flags)) {
    const path = configFlags[flag]?.path;
    if (path === undefined || value === undefined) continue;
    setPath(document, path.split('.'), value);
    flagOf.set(path, flag);
  }
  const result = sharderConfig.safeParse(document, { reportInput: true });
  if (result.success) return checked(result.data, file, flagOf);
  const lines = result.error.issues.flatMap((issue) => linesOf(issue, file, flagOf));
  throw new UsageError(lines.join('; '));
}

type Json = Record<string, unknown>;

function readYaml(file: string): Json {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--config: cannot read ${file}: ${messageOf(error)}`);
  }
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: true });
  const [error] = document.errors;
  if (error) throw new UsageError(`--config: ${file} is not YAML: ${messageOf(error)}`);
  let value: unknown;
  try {
    value = withoutNulls(document.toJS({ maxAliasCount: 100 }));
  } catch (failure) {
    throw new UsageError(`--config: ${file}: ${messageOf(failure)}`);
  }
  if (!isObject(value)) throw new UsageError(`--config: ${file} holds no ${head.kind}`);
  return value;
}

/** `webhook:` with nothing below it says no more than if it were not there. */
function withoutNulls(value: unknown): unknown {
  if (!isObject(value)) return value;
  const given = Object.entries(value).filter(([, each]) => each !== null);
  return Object.fromEntries(given.map(([name, each]) => [name, withoutNulls(each)]));
}

/** What depends on more than one field. */
function checked(config: SharderConfig, file: string | undefined, flags: Map<string, string>): SharderConfig {
  const seconds = config.leaderElection.leaseDuration / 1_000;
  if (!Number.isInteger(seconds) || seconds < 5 || seconds > 3_600) {
    throw new UsageError(
      `${where('leaderElection.leaseDuration', file, flags)}: must be whole seconds, at least 5s, at most 1h`,
    );
  }
  for (const field of ['syncPeriod', 'drainTimeout'] as const) {
    if (config.controller.sharder[field] < 1_000)
      throw new UsageError(`${where(`controller.sharder.${field}`, file, flags)}: must be at least 1s`);
  }
  const { url, service } = config.webhook.config.clientConfig;
  if (url !== undefined && service !== undefined) {
    throw new UsageError(
      `${where('webhook.config.clientConfig', file, flags)}: has both url and service, where one says it all`,
    );
  }
  return config;
}

function linesOf(issue: z.core.$ZodIssue, file: string | undefined, flags: Map<string, string>): string[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${where(path ? `${path}.${key}` : key, file, flags)}: unknown field`);
  }
  return [`${where(path, file, flags)}: ${expectation(issue)}`];
}

function expectation(issue: z.core.$ZodIssue): string {
  const got =
    issue.input === undefined ? 'it is missing' : `got ${JSON.stringify(issue.input)?.slice(0, 80)}`;
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${issue.expected}, ${got}`;
    case 'invalid_value':
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}, ${got}`;
    case 'too_small':
      return `expected at least ${issue.minimum}, ${got}`;
    case 'too_big':
      return `expected at most ${issue.maximum}, ${got}`;
    default:
      return issue.message;
  }
}

function where(path: string, file: string | undefined, flags: Map<string, string>): string {
  const flag = flags.get(path);
  if (flag !== undefined) return `--${flag}`;
  return file === undefined ? path : `${file}: ${path}`;
}

function setPath(object: Json, [first = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) {
    object[first] = value;
    return;
  }
  const inner = object[first];
  if (inner !== undefined && !isObject(inner)) return; // wrong, and told so when it is checked
  const copy = { ...inner };
  object[first] = copy;
  setPath(copy, rest, value);
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
