/** What a shard does, told as it happens: for tests and for an observer that checks the rules from outside. */
export type ShardEvent =
  | { event: 'lease'; state: 'acquired' | 'settled' | 'released' | 'lost' }
  | { event: 'reconcile-begin'; resource: string; object: string; uid: string }
  | { event: 'reconcile-end'; resource: string; object: string; uid: string; outcome: 'done' | 'failed' }
  | { event: 'write-begin'; verb: string; resource: string; object: string; owner: string }
  | {
      event: 'write-end';
      verb: string;
      resource: string;
      object: string;
      owner: string;
      resourceVersion?: string | undefined;
      error?: string | undefined;
    }
  | { event: 'hand-over-begin'; object: string; uid: string; to: string }
  | {
      event: 'hand-over-end';
      object: string;
      uid: string;
      to: string;
      outcome: 'handed-over' | 'failed';
      resourceVersion?: string | undefined;
    };

export type ShardObserver = (event: ShardEvent) => void;
