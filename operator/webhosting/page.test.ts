import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { page } from './page.ts';
import { InvalidThemeError, stylesheet } from './stylesheet.ts';
import { theme, website } from './website-fixture.ts';

test('the page names the website, its namespace and its theme, and has the look of the theme', () => {
  const html = page(website(), theme());
  for (const part of [
    '<title>shop</title>',
    '<h1>Welcome to shop!</h1>',
    'A website of project, in the theme plain.',
    'body { color: darkblue; font-family: "Georgia", serif; }',
  ])
    assert.ok(html.includes(part), part);
});

const styles: [color: string, fontFamily: string, css: string][] = [
  ['#fff', 'serif', 'color: #fff; font-family: serif;'],
  ['#0A0b0c80', 'Open Sans', 'color: #0A0b0c80; font-family: "Open Sans";'],
  [
    'rgb(10 20 30 / 50%)',
    `'Open Sans', "Arial" ,SANS-SERIF`,
    'color: rgb(10 20 30 / 50%); font-family: "Open Sans", "Arial", sans-serif;',
  ],
  ['hsl(120deg, 50%, 50%)', 'Jost', 'color: hsl(120deg, 50%, 50%); font-family: "Jost";'],
  ['red', 'Größe', 'color: red; font-family: "Gr\\f6 \\df e";'],
];
for (const [color, fontFamily, css] of styles) {
  test(`the stylesheet of ${color} and ${fontFamily}`, () => {
    assert.equal(stylesheet({ color, fontFamily }), `body { ${css} }`);
  });
}

const hostileColors = [
  '',
  'red; background: url(https://example.com/)',
  'red}body{display:none',
  '</style><script>alert(1)</script>',
  'url(javascript:alert(1))',
  'var(--x)',
  'rgb(0,0,0);x:(1)',
  'red/*',
  '\\72 ed',
  'red\n',
];
for (const color of hostileColors) {
  test(`${JSON.stringify(color)} is no colour`, () => {
    assert.throws(() => stylesheet({ color, fontFamily: 'serif' }), InvalidThemeError);
  });
}

const hostileFonts = [
  '',
  ',',
  'Arial,',
  'a"b',
  "'Arial",
  'x; color: red',
  'x}',
  '</style>',
  'x\\',
  'a\nb',
  'url(x)',
];
for (const fontFamily of hostileFonts) {
  test(`${JSON.stringify(fontFamily)} is no font family`, () => {
    assert.throws(() => stylesheet({ color: 'red', fontFamily }), InvalidThemeError);
  });
}

/** Every tag and every bracket, quote and separator that has a meaning in the stylesheet, in order. */
function structure(html: string): { tags: string[]; css: string } {
  const [, css = ''] = /<style>([^]*?)<\/style>/.exec(html) ?? [];
  const outsideStrings = css.replace(/"[^"\\\n]*(\\[0-9a-f]+ [^"\\\n]*)*"/g, 'string');
  return { tags: html.match(/<[^>]*>/g) ?? [], css: outsideStrings.replace(/[^{}();<>"'\\@]/g, '') };
}

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.stringMatching(/^[a-z"'<>&;{}()\\/*#, -]{0,30}$/),
  fc.constantFrom(...hostileColors, ...hostileFonts, 'red', '#123456', 'Arial'),
);

test('whatever names and values are, the page has the tags of its template, and the stylesheet one rule', () => {
  const plain = structure(page(website(), theme()));
  let made = 0;
  const rendered = (
    color: string,
    fontFamily: string,
    [name, namespace, themeName]: [string, string, string],
  ) => {
    try {
      return page(website({ name, namespace }), theme({ color, fontFamily }, themeName));
    } catch (error) {
      assert.ok(error instanceof InvalidThemeError);
      return undefined;
    }
  };
  const colors = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('red', '#123') },
    { weight: 1, arbitrary: anyText },
  );
  fc.assert(
    fc.property(
      colors,
      fc.oneof(fc.constant('Arial'), anyText),
      fc.tuple(anyText, anyText, anyText),
      (...given) => {
        const html = rendered(...given);
        if (html === undefined) return;
        made += 1;
        const found = structure(html);
        assert.deepEqual(found.tags, plain.tags);
        assert.equal(found.css, plain.css);
      },
    ),
    { numRuns: 2_000 },
  );
  assert.ok(made > 300, `${made} pages`);
});
