import { ROUTE_FOLDERS, runFolders } from './shared-process.ts';

runFolders(ROUTE_FOLDERS);
