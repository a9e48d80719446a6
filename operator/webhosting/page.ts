import type { Theme, Website } from './resources.ts';
import { stylesheet } from './stylesheet.ts';

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '');

/** The index.html of a Website. Throws InvalidThemeError. */
export function page(website: Website, theme: Theme): string {
  const { name, namespace = '' } = website.metadata;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(name)}</title>
<style>
${stylesheet(theme.spec)}
</style>
</head>
<body>
<h1>Welcome to ${escaped(name)}!</h1>
<p>A website of ${escaped(namespace)}, in the theme ${escaped(theme.metadata.name)}.</p>
</body>
</html>
`;
}
