export type Action =
  | 'add'
  | 'stop'
  | 'kill'
  | 'create'
  | 'kill-leader'
  | 'pin'
  | 'unpin'
  | 'weight'
  | 'cordon'
  | 'drain'
  | 'quit';

const actions: Record<string, Action> = {
  a: 'add',
  s: 'stop',
  k: 'kill',
  c: 'create',
  l: 'kill-leader',
  p: 'pin',
  u: 'unpin',
  w: 'weight',
  o: 'cordon',
  d: 'drain',
  q: 'quit',
  // In raw mode, Ctrl-C and Ctrl-D come as characters.
  '\u0003': 'quit',
  '\u0004': 'quit',
};

export const helpLines = [
  'a add  s stop  k kill -9  c create 100  l kill the leader  q quit',
  'newest: w weight  o cordon, again: undo  d drain, again: undo  p pin  u unpin',
];

/** What the pressed keys mean. An escape sequence (an arrow key) is one key, and means nothing. */
export function actionsOf(input: string): Action[] {
  // oxlint-disable-next-line no-control-regex -- a terminal's escape sequences begin with this character
  const keys = input.replaceAll(/\u001B(\[[0-9;?]*[ -/]*[@-~]|O.|.)?/g, '');
  return keys.split('').flatMap((key) => actions[key.toLowerCase()] ?? []);
}
