import { MODEL_FOLDERS, ROUTE_FOLDERS, runFolders } from './shared-process.ts';

runFolders(ROUTE_FOLDERS, MODEL_FOLDERS);
