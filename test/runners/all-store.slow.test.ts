import { runSlowFolders, SLOW_STORE_FOLDERS } from './shared-process.ts';

runSlowFolders(SLOW_STORE_FOLDERS);
