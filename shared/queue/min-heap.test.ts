import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MinHeap } from './min-heap.ts';

const node = (value: number) => ({ value, position: -1 });
const newHeap = () => new MinHeap<ReturnType<typeof node>>((a, b) => a.value < b.value);

test('elements come out in order, whatever was removed or re-ordered meanwhile', () => {
  const command = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), value: fc.nat(20) }),
    fc.record({ kind: fc.constant('remove' as const), index: fc.nat(30) }),
    fc.record({ kind: fc.constant('change' as const), index: fc.nat(30), value: fc.nat(20) }),
    fc.record({ kind: fc.constant('pop' as const) }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const heap = newHeap();
      const model: ReturnType<typeof node>[] = [];
      for (const step of commands) {
        if (step.kind === 'push') {
          const added = node(step.value);
          model.push(added);
          heap.push(added);
        } else if (step.kind === 'pop') {
          const least = heap.pop();
          assert.equal(least?.value, model.toSorted((a, b) => a.value - b.value)[0]?.value);
          if (least !== undefined) model.splice(model.indexOf(least), 1);
        } else {
          const chosen = model[step.index];
          if (chosen === undefined) continue;
          if (step.kind === 'remove') {
            heap.remove(chosen);
            model.splice(step.index, 1);
          } else {
            chosen.value = step.value;
            heap.reorder(chosen);
          }
        }
        assert.equal(heap.size, model.length);
      }
      const drained = Array.from({ length: heap.size }, () => heap.pop()?.value);
      assert.deepEqual(
        drained,
        model.map(({ value }) => value).toSorted((a, b) => a - b),
      );
    }),
  );
});

test('removing an element that is no longer inside does nothing', () => {
  const heap = newHeap();
  const [first, second] = [node(1), node(2)];
  heap.push(first);
  heap.push(second);
  heap.remove(first);
  heap.remove(first);
  assert.equal(heap.peek(), second);
  assert.equal(heap.size, 1);
});
