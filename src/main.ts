/** Process entry. Signal handlers are installed before the (slow) application modules are loaded. */
import { installSignalHandlers } from './stop.ts';

const onSignal = installSignalHandlers();
const { start } = await import('./start.ts');
await start(onSignal);
