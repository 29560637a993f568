import { runFolders, UNIT_FOLDERS } from './shared-process.ts';

runFolders(UNIT_FOLDERS);
