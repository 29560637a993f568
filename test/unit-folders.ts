/** Folders whose tests start no service and leave nothing changed in their process. */
export const UNIT_FOLDERS = ['datasets', 'domain', 'formats', 'numerics', 'page', 'protocols', 'store'];
