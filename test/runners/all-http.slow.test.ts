import { runSlowFolders, SLOW_HTTP_FOLDERS } from './shared-process.ts';

runSlowFolders(SLOW_HTTP_FOLDERS);
