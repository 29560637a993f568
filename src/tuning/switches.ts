/** `TUNING_OFF`: the techniques of this folder that are switched off, in all threads of the process. */
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

/** Techniques with a switch of their own are not among them; see README.md. */
export const TECHNIQUES = [
  'accept-first',
  'access-line',
  'clear-vectors',
  'collect-garbage',
  'start-together',
  'time-slice',
] as const;
type Technique = (typeof TECHNIQUES)[number];

const KEY = 'tuning off';

export const isTechnique = (name: string): name is Technique =>
  (TECHNIQUES as readonly string[]).includes(name);

/** Applies to this thread, and to threads that it starts from then on. */
export function switchOff(techniques: readonly string[]): void {
  setEnvironmentData(KEY, techniques);
}

export function isOn(technique: Technique): boolean {
  const off = (getEnvironmentData(KEY) ?? []) as readonly string[];
  return !off.includes(technique);
}
