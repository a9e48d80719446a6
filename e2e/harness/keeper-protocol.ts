/** Asks the keeper process to start a program. */
export interface StartRequest {
  op: 'start';
  command: string;
  args: string[];
  env: Record<string, string>;
  cwd: string;
  /** Gets the process's output, appended. */
  logFile: string;
}

/** `key`: the id of the request that started the process. */
export interface SignalRequest {
  op: 'signal';
  key: number;
  signal: NodeJS.Signals;
}

export type KeeperRequest =
  | StartRequest
  | SignalRequest
  | { op: 'make-folder'; prefix: string }
  | { op: 'remove-folder'; path: string };

/** What each operation answers. */
export interface KeeperAnswers {
  /** The pid. */
  start: number;
  /** Whether the process still ran. */
  signal: boolean;
  /** The path. */
  'make-folder': string;
  'remove-folder': null;
}

export type RequestMessage = KeeperRequest & { id: number };

/** How a process ended: one of the two is null. */
export interface ProcessEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export type ReplyMessage =
  | { id: number; value: KeeperAnswers[keyof KeeperAnswers] }
  | { id: number; error: string }
  | ({ exited: number } & ProcessEnd);
