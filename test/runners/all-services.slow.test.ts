import { runSlowFolders, SLOW_SERVICE_FOLDERS } from './shared-process.ts';

runSlowFolders(SLOW_SERVICE_FOLDERS);
