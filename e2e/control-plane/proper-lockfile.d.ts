/** What is used here of proper-lockfile, which has no types of its own. */
declare module 'proper-lockfile' {
  interface LockOptions {
    lockfilePath?: string;
    realpath?: boolean;
    /** Ms without an update after which the lock counts as left behind. */
    stale?: number;
    /** Ms between updates. */
    update?: number;
    onCompromised?: (error: Error) => void;
  }
  /** Rejects with code `ELOCKED` when it is held; resolves to the function that releases it. */
  export function lock(file: string, options?: LockOptions): Promise<() => Promise<void>>;
}
