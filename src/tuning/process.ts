/** The techniques that apply to the whole process. */
import type { Config } from '../config/read.ts';
import { importHttp } from './node-http.ts';
import { switchOff } from './switches.ts';
import { shortenTimeSlice } from './time-slice.ts';

/** Call it as early as possible. */
export async function tuneProcess({ tuningOff }: Pick<Config, 'tuningOff'>): Promise<void> {
  switchOff(tuningOff);
  void shortenTimeSlice();
  await importHttp();
}
