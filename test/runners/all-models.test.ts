import { MODEL_FOLDERS, runFolders } from './shared-process.ts';

runFolders(MODEL_FOLDERS);
