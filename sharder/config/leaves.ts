import { messageOf } from '@controller-sharding/shared/kube/errors.ts';
import { parseAddress } from '@controller-sharding/shared/runtime/address.ts';
import { parseDuration } from '@controller-sharding/shared/runtime/duration.ts';
import * as z from 'zod';

/** What a value is called in messages and in the documentation, where its JSON type says too little. */
export const valueKind = z.registry<{ kind: string }>();

/** A string that `parse` understands; its error is the message. */
function parsed<T>(kind: string, parse: (text: string) => T) {
  const schema = z.string().transform((text, context) => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error).replace(/^: /, '') });
      return z.NEVER;
    }
  });
  valueKind.add(schema, { kind });
  return schema;
}

/** Milliseconds. */
export const duration = () => parsed('duration', (text) => parseDuration('', text));

/** As `duration`; a negative one means without end. */
export const durationOrEndless = () =>
  parsed('duration', (text) => (text.startsWith('-') ? negative(text) : parseDuration('', text)));

/** Undefined: off. */
export const address = () => parsed('address', (text) => parseAddress('', text));

export const httpsUrl = () =>
  parsed('URL', (text) => {
    if (URL.canParse(text) && new URL(text).protocol === 'https:') return text;
    throw new Error(`"${text}" is not of the form https://host:port`);
  });

export const wholeNumber = (least: number, greatest: number) => {
  const schema = z.int().min(least).max(greatest);
  valueKind.add(schema, { kind: `whole number from ${least} to ${greatest}` });
  return schema;
};

function negative(text: string): number {
  parseDuration('', text.slice(1)); // it must be one
  return Infinity;
}
