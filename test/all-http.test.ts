import { HTTP_FOLDERS, runFolders } from './shared-process.ts';

await runFolders(HTTP_FOLDERS);
