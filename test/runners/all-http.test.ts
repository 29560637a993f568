import { HTTP_FOLDERS, runFolders } from './shared-process.ts';

runFolders(HTTP_FOLDERS);
