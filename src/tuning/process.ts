/** The techniques that apply to the whole process. */
import type { Config } from '../config/read.ts';
import { switchOff } from './switches.ts';
import { shortenTimeSlice } from './time-slice.ts';

/** Call it as early as possible. */
export function tuneProcess({ tuningOff }: Pick<Config, 'tuningOff'>): void {
  switchOff(tuningOff);
  void shortenTimeSlice();
}
