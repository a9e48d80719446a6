import type { Labels } from '../kube/types.ts';
import { labelKeyErrors, labelValueErrors } from './metadata-validation.ts';
import { badRequest } from './status-errors.ts';

export type LabelPredicate = (labels: Labels | undefined) => boolean;

/** A selector as objects carry it (webhooks, Deployments). */
export interface LabelSelector {
  matchLabels?: Labels;
  matchExpressions?: {
    key: string;
    operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    values?: string[];
  }[];
}

interface Requirement {
  key: string;
  operator: string;
  values: Set<string>;
}

/**
 * The API server's label selectors, as a function: `a`, `!a`, `a=b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a>1`,
 * `a<1`, joined by commas. Throws ApiError 400 as it does.
 */
export function labelSelector(text = ''): LabelPredicate {
  const requirements = new Parser(text).parse();
  return (labels) => requirements.every((requirement) => fulfilled(requirement, labels ?? {}));
}

export function selectorPredicate({
  matchLabels = {},
  matchExpressions = [],
}: LabelSelector): LabelPredicate {
  const operators = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' };
  const requirements = [
    ...Object.entries(matchLabels).map(([key, value]) => ({ key, operator: '=', values: new Set([value]) })),
    ...matchExpressions.map(({ key, operator, values = [] }) => {
      return { key, operator: operators[operator], values: new Set(values) };
    }),
  ];
  return (labels) => requirements.every((requirement) => fulfilled(requirement, labels ?? {}));
}

function fulfilled({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'notin':
    case '!=':
      return value === undefined || !values.has(value);
    case '>':
    case '<': {
      if (value === undefined || !isInteger(value)) return false;
      const [bound] = values;
      return operator === '>' ? Number(value) > Number(bound) : Number(value) < Number(bound);
    }
    default:
      return value !== undefined && values.has(value);
  }
}

const isInteger = (text: string): boolean => /^[-+]?\d+$/.test(text);

/** Operators are read as far as they go (`!=`, `==`), everything else up to a space or an operator is a word. */
const tokens = /!=|==|[=!,()<>]|[^\s=!,()<>]+/g;
const operators = new Set(['in', 'notin', '=', '==', '!=', '>', '<']);
const isWord = (token: string): boolean => /^[^\s=!,()<>]/.test(token);

class Parser {
  readonly #tokens: string[];
  #position = 0;

  constructor(text: string) {
    this.#tokens = text.match(tokens) ?? [];
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const next = this.#peek();
      if (next === '' && requirements.length === 0) return [];
      if (!isWord(next) && next !== '!') throw found(next, '!, identifier, or', "'end of string'");
      requirements.push(this.#requirement());
      const after = this.#take();
      if (after === '') return requirements;
      if (after !== ',') throw found(after, "',' or 'end of string'");
      if (!isWord(this.#peek()) && this.#peek() !== '!') throw found(this.#peek(), "identifier after ','");
    }
  }

  #peek(): string {
    return this.#tokens[this.#position] ?? '';
  }

  #take(): string {
    const token = this.#peek();
    this.#position += 1;
    return token;
  }

  #requirement(): Requirement {
    const negated = this.#peek() === '!';
    if (negated) this.#take();
    const key = this.#take();
    if (!isWord(key)) throw unparsable(`found '${key}', expected: identifier`);
    for (const error of labelKeyErrors(key))
      throw unparsable(`<nil>: Invalid value: ${JSON.stringify(key)}: ${error}`);
    if (negated) return { key, operator: '!', values: new Set() };
    if (this.#peek() === '' || this.#peek() === ',') return { key, operator: 'exists', values: new Set() };
    const operator = this.#take();
    if (!operators.has(operator)) {
      throw unparsable(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
    }
    const values = operator === 'in' || operator === 'notin' ? this.#values() : this.#exactValue();
    for (const [index, value] of [...values].entries()) {
      if ((operator === '>' || operator === '<') && !isInteger(value)) {
        const why = "for 'Gt', 'Lt' operators, the value must be an integer";
        throw unparsable(`values[${index}]: Invalid value: ${JSON.stringify(value)}: ${why}`);
      }
      for (const error of labelValueErrors(value)) {
        throw unparsable(`values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${error}`);
      }
    }
    return { key, operator, values };
  }

  #exactValue(): Set<string> {
    if (this.#peek() === '' || this.#peek() === ',') return new Set(['']);
    const value = this.#take();
    if (!isWord(value)) throw unparsable(`found '${value}', expected: identifier`);
    return new Set([value]);
  }

  /** Nothing between commas or parentheses is the empty value. */
  #values(): Set<string> {
    const values = new Set<string>();
    const open = this.#take();
    if (open !== '(') throw unparsable(`found '${open}' expected: '('`);
    for (let empty = true; ; ) {
      const token = this.#take();
      if (isWord(token)) {
        values.add(token);
        const next = this.#peek();
        if (next !== ',' && next !== ')') throw unparsable(`found '${next}', expected: ',' or ')'`);
        empty = false;
      } else if (token === ',' || token === ')') {
        if (empty) values.add('');
        if (token === ')') return values;
        empty = true;
      } else {
        throw unparsable(`found '${token}', expected: ',', ')' or identifier`);
      }
    }
  }
}

const found = (token: string, ...expected: string[]) =>
  badRequest(`found '${token}', expected: ${expected.join(' ')}`);
const unparsable = (why: string) => badRequest(`unable to parse requirement: ${why}`);
