import * as z from 'zod';
import { valueKind } from './leaves.ts';
import { sharderConfig } from './schema.ts';

/** One field of the configuration file, as its documentation tells of it. */
export interface ConfigField {
  /** `controller.sharder.syncPeriod` */
  path: string;
  kind: string;
  default: string | undefined;
  description: string;
}

type Schema = z.core.$ZodType;

/** All fields that hold values, in the order of the schema. */
export function configFields(): ConfigField[] {
  return [...fieldsOf(sharderConfig, '')];
}

function* fieldsOf(schema: z.ZodObject, prefix: string): Generator<ConfigField> {
  for (const [name, wrapped] of Object.entries(schema.shape)) {
    const { inner, fallback } = unwrap(wrapped);
    const path = prefix + name;
    const description = describe(wrapped) ?? describe(inner) ?? '';
    if (inner instanceof z.ZodObject && description === '') yield* fieldsOf(inner, `${path}.`);
    else yield { path, kind: kindOf(inner), default: fallback, description };
  }
}

function unwrap(schema: Schema): { inner: Schema; fallback: string | undefined } {
  if (schema instanceof z.ZodPrefault) {
    const { innerType, defaultValue } = schema.def;
    return { inner: unwrap(innerType).inner, fallback: shown(defaultValue) };
  }
  if (schema instanceof z.ZodOptional)
    return { inner: unwrap(schema.def.innerType).inner, fallback: undefined };
  return { inner: schema, fallback: undefined };
}

function kindOf(schema: Schema): string {
  const known = valueKind.get(schema)?.kind;
  if (known !== undefined) return known;
  if (schema instanceof z.ZodLiteral)
    return [...schema.values].map((value) => `\`${String(value)}\``).join(', ');
  if (schema instanceof z.ZodEnum) return schema.options.map((value) => `\`${String(value)}\``).join(', ');
  if (schema instanceof z.ZodRecord) return 'map of strings';
  if (schema instanceof z.ZodObject) return `\`{${Object.keys(schema.shape).join(', ')}}\``;
  return schema instanceof z.ZodType ? schema.type : 'value';
}

const describe = (schema: Schema): string | undefined => z.globalRegistry.get(schema)?.description;

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
