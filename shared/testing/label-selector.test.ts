import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelSelector, selectorPredicate } from './label-selector.ts';

test('label selectors select as the API server does', () => {
  const labels = { a: '1', b: '2', empty: '', word: 'x' };
  const rows: Array<[string, boolean]> = [
    ['', true],
    ['a', true],
    ['c', false],
    ['!c', true],
    ['! a', false],
    ['a=1', true],
    ['a==2', false],
    ['a!=2', true],
    ['c!=2', true],
    ['a=', false],
    ['empty=', true],
    ['empty', true],
    ['a in (1,3)', true],
    ['a in(1)', true],
    ['c in (1)', false],
    ['empty in ()', true],
    ['empty in (x,)', true],
    ['a notin (1,3)', false],
    ['c notin (1)', true],
    ['a>0', true],
    ['a<1', false],
    ['word>0', false],
    ['c<1', false],
    ['in', false],
    ['a , b notin (1,3),!c', true],
    ['toString', false],
  ];
  for (const [selector, expected] of rows) assert.equal(labelSelector(selector)(labels), expected, selector);
  assert.equal(labelSelector('!a')(undefined), true);
});

test('what is no label selector is refused with the API server’s words', () => {
  const rows: Array<[string, RegExp]> = [
    ['a,,b', /^found ',', expected: identifier after ','$/],
    [',', /^found ',', expected: !, identifier, or 'end of string'$/],
    ['a=b c', /^found 'c', expected: ',' or 'end of string'$/],
    ['a in b', /^unable to parse requirement: found 'b' expected: '\('$/],
    ['a in (b', /^unable to parse requirement: found '', expected: ',' or '\)'$/],
    ['a=b,', /^found '', expected: identifier after ','$/],
    ['a!b', /^unable to parse requirement: found '!', expected: in, notin, =, ==, !=, gt, lt$/],
    ['!a=b', /^found '=', expected: ',' or 'end of string'$/],
    ['a<x', /the value must be an integer$/],
    ['-a', /Invalid value: "-a": name part must consist of/],
    ['a=b_', /values\[0\]\[a\]: Invalid value: "b_": a valid label must be/],
  ];
  for (const [selector, message] of rows) {
    assert.throws(() => labelSelector(selector), { status: 400, reason: 'BadRequest', message }, selector);
  }
});

test('selectors of objects want all that they say', () => {
  const selects = selectorPredicate({
    matchLabels: { a: '1' },
    matchExpressions: [
      { key: 'b', operator: 'NotIn', values: ['2'] },
      { key: 'c', operator: 'Exists' },
      { key: 'd', operator: 'DoesNotExist' },
    ],
  });
  assert.equal(selects({ a: '1', c: '' }), true);
  assert.equal(selects({ a: '1', b: '2', c: '' }), false);
  assert.equal(selects({ a: '1', c: '', d: '' }), false);
  assert.equal(selectorPredicate({})(undefined), true);
});
