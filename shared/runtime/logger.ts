import { type DestinationStream, pino } from 'pino';
import { describeError } from './describe-error.ts';
import { prettyLog } from './pretty-log.ts';

export type Logger = pino.Logger;

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LoggerOptions {
  level: LogLevel;
  /** `json` (default): a JSON object per line; `pretty`: a line for people. */
  format?: 'json' | 'pretty' | undefined;
  /** Which program speaks. */
  name: string;
  /** Default: stderr, written synchronously, so that nothing is lost when the process ends. */
  destination?: DestinationStream | undefined;
}

/** Fields that hold secrets in Kubernetes objects, kubeconfigs and requests. */
const secretFields = [
  'data',
  'stringData',
  'token',
  'password',
  'authorization',
  'Authorization',
  'client-key-data',
  'clientKeyData',
  'keyData',
  'privateKey',
];
const secretPaths = ['', '*', '*.*'].flatMap((parent) =>
  secretFields.map((field) => `${parent}["${field}"]`),
);

/**
 * Logs with level, ISO time, name, pid and the fields given. Secrets' data and credentials are blotted out down to
 * the third level of what is logged; of errors (`err`) only what describes them is written.
 */
export function createLogger({ level, format = 'json', name, destination }: LoggerOptions): Logger {
  const out = destination ?? pino.destination({ dest: 2, sync: true });
  return pino(
    {
      level,
      base: { name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      redact: { paths: secretPaths, censor: '[secret]' },
    },
    format === 'pretty' ? prettyLog(out) : out,
  );
}

/** For tests, and where nobody listens. */
export const silentLogger: Logger = pino({ level: 'silent' });
