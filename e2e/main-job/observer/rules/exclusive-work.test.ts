import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, replica, work } from '../hand-made.ts';
import { ExclusiveWork } from './exclusive-work.ts';

const judged = (...history: Parameters<typeof judge>[1]) => judge(new ExclusiveWork(), history);

test('one shard after the other may work on an object', () => {
  const history = [work('begin', 10, 'a', 'u'), work('end', 20, 'a', 'u'), work('begin', 21, 'b', 'u')];
  assert.deepEqual(judged(...history, work('end', 30, 'b', 'u')), []);
});

test('two shards at work on different objects are no overlap', () => {
  assert.deepEqual(judged(work('begin', 10, 'a', 'u'), work('begin', 11, 'b', 'v')), []);
});

test('a reconcile that begins while another shard is at work is an overlap', () => {
  const [violation, ...more] = judged(
    work('begin', 10, 'a', 'u'),
    work('begin', 15, 'b', 'u'),
    work('end', 20, 'a', 'u'),
    work('end', 21, 'b', 'u'),
  );
  assert.equal(more.length, 0);
  assert.equal(violation?.rule, 'exclusive work');
  assert.equal(violation?.object, 'test/u');
  assert.match(violation?.message ?? '', /^b \(pid 2\) began .* at 15\.0 ms while a \(pid 1\).* from 10\.0/);
});

test('a reconcile within a longer one of another shard is an overlap, once', () => {
  const history = [work('begin', 10, 'a', 'u'), work('begin', 11, 'b', 'u'), work('end', 12, 'b', 'u')];
  assert.equal(judged(...history, work('end', 20, 'a', 'u')).length, 1);
});

test('the open reconcile of a process that died ends with it', () => {
  const history = [
    work('begin', 10, 'a', 'u'),
    replica(20, 'a', 'killing'),
    replica(21, 'a', 'ended', 'killed'),
  ];
  assert.deepEqual(judged(...history, work('begin', 22, 'b', 'u')), []);
});

test('a reconcile that began before the other process died is an overlap', () => {
  const history = [
    work('begin', 10, 'a', 'u'),
    work('begin', 15, 'b', 'u'),
    replica(20, 'a', 'ended', 'killed'),
  ];
  assert.equal(judged(...history).length, 1);
});

test('an overlap is found when the earlier begin is told of late', () => {
  const history = [work('begin', 15, 'b', 'u'), work('end', 18, 'b', 'u')];
  const late = [work('begin', 10, 'a', 'u'), work('end', 20, 'a', 'u')];
  assert.equal(judged(...history, ...late).length, 1);
});

test('two processes that claim one name are two', () => {
  const history = [work('begin', 10, 'a', 'u'), { ...work('begin', 11, 'a', 'u'), pid: 77 }];
  assert.equal(judged(...history).length, 1);
});
