import type { TraceEvent } from './events.ts';

type Fields = Record<string, unknown>;

/** Reads a line of a shard's trace; undefined for events that no rule needs. Throws an Error when it isn't one. */
export function parseTraceLine(line: string): TraceEvent | undefined {
  const fields: Fields = JSON.parse(line);
  const number = (name: string): number => {
    const value = fields[name];
    if (typeof value !== 'number') throw new Error(`trace line without ${name}: ${line}`);
    return value;
  };
  const text = (name: string): string => {
    const value = fields[name];
    if (typeof value !== 'string') throw new Error(`trace line without ${name}: ${line}`);
    return value;
  };
  const resourceVersion =
    typeof fields['resourceVersion'] === 'string' ? fields['resourceVersion'] : undefined;
  const common = { at: number('at'), shard: text('shard'), pid: number('pid') };
  const kind = text('event');
  switch (kind) {
    case 'reconcile-begin':
    case 'reconcile-end':
      return { kind, ...common, object: text('object'), uid: text('uid') };
    case 'write-begin':
    case 'write-end': {
      const [verb, resource] = [text('verb'), text('resource')];
      return {
        kind,
        ...common,
        verb,
        resource,
        object: text('object'),
        owner: text('owner'),
        resourceVersion,
      };
    }
    case 'hand-over-end': {
      const [object, uid, outcome] = [text('object'), text('uid'), text('outcome')];
      return { kind, ...common, object, uid, outcome, resourceVersion };
    }
    default:
      return undefined;
  }
}
