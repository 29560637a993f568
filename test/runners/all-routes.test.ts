import { ROUTE_FOLDERS, runFolders } from './shared-process.ts';

await runFolders(ROUTE_FOLDERS);
