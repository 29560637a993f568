import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const MODULE = join(import.meta.dirname, '../../src/tuning/tick-object.ts');
const SWITCHES = join(import.meta.dirname, '../../src/tuning/switches.ts');

/** Number of objects of `process.nextTick` that are alive after garbage collections, if `prepare` runs at the start. */
function countAlive(prepare: string): number {
  const script = `
    import { createHook } from 'node:async_hooks';
    import { setTimeout } from 'node:timers/promises';
    import { keepTickObject } from ${JSON.stringify(MODULE)};
    import { switchOff } from ${JSON.stringify(SWITCHES)};
    const made = [];
    const init = (_id, type, _trigger, object) => type === 'TickObject' && made.push(new WeakRef(object));
    const hook = createHook({ init }).enable();
    ${prepare}
    hook.disable();
    // A weak reference keeps its object until the turn ends, and Node the last object until the next one.
    for (let n = 0; n < 3; n++) {
      process.nextTick(() => {});
      await setTimeout(1);
      gc();
    }
    console.log(made.length, made.filter((each) => each.deref() !== undefined).length);
  `;
  const args = ['--expose-gc', '--input-type=module', '--eval', script];
  const [made, alive] = execFileSync(process.execPath, args, { encoding: 'utf8' }).split(' ').map(Number);
  assert.ok(made! <= 1);
  return alive!;
}

test('an object of process.nextTick outlives garbage collections, unless that is switched off', () => {
  assert.equal(countAlive('keepTickObject();'), 1);
  assert.equal(countAlive("switchOff(['tick-object']); keepTickObject();"), 0);
  assert.equal(countAlive('process.nextTick(() => {});'), 0, 'other objects do not');
});
