import type { DestinationStream } from 'pino';

const OWN_FIELDS = new Set(['level', 'time', 'name', 'pid', 'msg', 'err']);

/** Turns JSON log lines into lines for people: `03:04:05.123 WARN  sharder: text key=value`. */
export function prettyLog(out: DestinationStream): DestinationStream {
  return {
    write(line: string): void {
      out.write(`${prettyLine(line)}\n`);
    },
  };
}

function prettyLine(line: string): string {
  const entry: unknown = JSON.parse(line);
  if (typeof entry !== 'object' || entry === null) return line.trimEnd();
  const fields = new Map<string, unknown>(Object.entries(entry));
  const text = (name: string): string => asText(fields.get(name) ?? '');
  const rest = [...fields]
    .filter(([name]) => !OWN_FIELDS.has(name))
    .map(([name, value]) => ` ${name}=${asText(value)}`);
  const error = fields.get('err');
  return (
    `${text('time').slice(11, 23)} ${text('level').toUpperCase().padEnd(5)} ${text('name')}: ${text('msg')}` +
    `${rest.join('')}${error === undefined ? '' : `\n${prettyError(error)}`}`
  );
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function prettyError(error: unknown): string {
  const stack = typeof error === 'object' && error !== null && 'stack' in error ? error.stack : undefined;
  const text = typeof stack === 'string' ? stack : JSON.stringify(error);
  return text.replaceAll(/^/gm, '    ');
}
