/** Keeps `process.nextTick` fast, because Node calls it several times for each request. */
import { executionAsyncResource } from 'node:async_hooks';
import { isOn } from './switches.ts';

const kept: object[] = [];

/**
 * Keeps one object of `process.nextTick` alive, and with it the shapes through which V8 builds these objects. A garbage
 * collection frees shapes without objects; V8 then finds that its optimization no longer applies, and adds properties of
 * every later object in its runtime: 4 to 5 % of the processor time of a small prediction. Call it at the start.
 */
export function keepTickObject(): void {
  if (isOn('tick-object')) process.nextTick(() => kept.push(executionAsyncResource()));
}
