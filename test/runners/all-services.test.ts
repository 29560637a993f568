import { runFolders, SERVICE_FOLDERS } from './shared-process.ts';

await runFolders(SERVICE_FOLDERS);
