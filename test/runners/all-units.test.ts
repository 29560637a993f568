import { runFolders, UNIT_FOLDERS } from './shared-process.ts';

await runFolders(UNIT_FOLDERS);
