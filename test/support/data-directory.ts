/** The folder of the real data set, which `npm run data` fills. */
import { join } from 'node:path';

export const DATA_DIR = join(import.meta.dirname, '../../data');
