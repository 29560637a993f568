/** Process entry. Installs signal handlers before it loads the (slow) application modules. */
import { installSignalHandlers } from './stop.ts';

const onSignal = installSignalHandlers();
const { start } = await import('./start.ts');
await start(onSignal);
