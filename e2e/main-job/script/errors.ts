/** A rule of the design was broken: ends the process with 3. */
export class RuleBrokenError extends Error {
  override readonly name = 'RuleBrokenError';
  readonly code = 'RULE_BROKEN';
  readonly exitCode = 3;

  constructor(count: number) {
    super(count === 1 ? 'a rule was broken' : `rules were broken ${count} times`);
  }
}

/** A step did not end as it should, or the observer could not see. */
export class StepError extends Error {
  override readonly name = 'StepError';
  readonly code = 'STEP';
}
