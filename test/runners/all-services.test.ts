import { runFolders, SERVICE_FOLDERS } from './shared-process.ts';

runFolders(SERVICE_FOLDERS);
