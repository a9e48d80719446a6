import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';
import type { AdmissionOutcome, Decision } from './admission.ts';
import { type AdmissionRequest, allowed, parseReview } from './admission-review.ts';
import type { Decide, DecisionByRead } from './decide.ts';

/** Less than what the API server waits (5 s), so that it gets an answer also when a read hangs. */
const deadlineMs = 2_000;

export interface WebhookObserver {
  /** One request was answered. `ring` is as the request names it, empty when it couldn't be read. */
  answered(ring: string, outcome: AdmissionOutcome, durationMs: number): void;
}

export interface AnswerOptions {
  decide: Decide;
  clock: Clock;
  logger: Logger;
  observer?: WebhookObserver | undefined;
}

/** Of HTTP. The body is JSON. */
export interface Answer {
  status: 200 | 400 | 404 | 413;
  body: string;
}

export const refused = (status: Answer['status'], message: string): Answer => ({
  status,
  body: JSON.stringify({ message }),
});

/**
 * Answers what was sent to a ring's webhook: once, at once when no other object has to be read, else within two seconds.
 * Never throws.
 */
export function answerReview(
  options: AnswerOptions,
  ring: string,
  body: Buffer,
  send: (answer: Answer) => void,
): void {
  const { clock, observer } = options;
  const start = clock.monotonic();
  const review = parseReview(json(body));
  // The answer needs its uid.
  if (!review) {
    observer?.answered('', 'unreadable', clock.monotonic() - start);
    send(refused(400, 'not an AdmissionReview with a request'));
    return;
  }
  const finish = ({ outcome, patch }: Decision): void => {
    observer?.answered(ring, outcome, clock.monotonic() - start);
    send({ status: 200, body: allowed(review.uid, patch) });
  };
  const decision = review.request ? decided(options, ring, review.request) : unreadableRequest;
  // Most are decided at once: to wait for them, too, would cost a tenth of what a call costs.
  if (decision instanceof Promise) void decision.then(finish);
  else finish(decision);
}

function json(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

const unreadableRequest: Decision = { outcome: 'unreadable' };

/** Never throws, never rejects. */
function decided(
  { decide, clock, logger }: AnswerOptions,
  ring: string,
  request: AdmissionRequest,
): Decision | Promise<Decision> {
  const failed = (error: unknown): Decision => {
    logger.warn({ err: error, ring }, 'webhook could not decide, the request passes as it is');
    return { outcome: 'error' };
  };
  try {
    const decision = decide(ring, request);
    return typeof decision === 'function' ? inTime(decision, clock).catch(failed) : decision;
  } catch (error) {
    return failed(error);
  }
}

/** Takes no longer than the deadline, whatever `decide` does. */
async function inTime(decide: DecisionByRead, clock: Clock): Promise<Decision> {
  const ended = new AbortController();
  const late = Promise.withResolvers<Decision>();
  const cancel = clock.after(deadlineMs, () => {
    late.resolve({ outcome: 'timeout' });
    ended.abort(new Error(`no decision within ${deadlineMs} ms`));
  });
  try {
    return await Promise.race([decide(ended.signal), late.promise]);
  } finally {
    cancel();
  }
}
