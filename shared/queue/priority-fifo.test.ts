import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type FifoNode, PriorityFifo } from './priority-fifo.ts';

interface Node extends FifoNode<Node> {
  name: number;
}

test('elements come by priority and then by arrival, whatever was removed or moved meanwhile', () => {
  const command = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), priority: fc.integer({ min: -2, max: 2 }) }),
    fc.record({ kind: fc.constant('shift' as const) }),
    fc.record({ kind: fc.constant('remove' as const), index: fc.nat(30) }),
    fc.record({
      kind: fc.constant('move' as const),
      index: fc.nat(30),
      priority: fc.integer({ min: -2, max: 2 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80, size: 'max' }), (commands) => {
      const fifo = new PriorityFifo<Node>();
      /** In the order of arrival. */
      let model: Node[] = [];
      const inOrder = (): Node[] => model.toSorted((a, b) => b.priority - a.priority);
      for (const [name, step] of commands.entries()) {
        if (step.kind === 'push') {
          const node: Node = { name, priority: step.priority, previous: undefined, next: undefined };
          model.push(node);
          fifo.push(node);
        } else if (step.kind === 'shift') {
          const [first] = inOrder();
          assert.equal(fifo.shift(), first);
          model = model.filter((node) => node !== first);
        } else {
          const chosen = model[step.index % model.length];
          if (chosen === undefined) continue;
          fifo.remove(chosen);
          model = model.filter((node) => node !== chosen);
          if (step.kind === 'remove') continue;
          chosen.priority = step.priority;
          model.push(chosen);
          fifo.push(chosen);
        }
        assert.equal(fifo.length, model.length);
      }
      const drained = Array.from({ length: fifo.length }, () => fifo.shift()?.name);
      assert.deepEqual(
        drained,
        inOrder().map(({ name }) => name),
      );
      assert.equal(fifo.shift(), undefined);
    }),
  );
});
