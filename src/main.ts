/** Process entry. Installs signal handlers before it loads the (slow) application modules. */
import { installSignalHandlers } from './process/stop.ts';
import { keepTickObject } from './tuning/tick-object.ts';

const onSignal = installSignalHandlers();
keepTickObject();
const { start } = await import('./process/start.ts');
await start(onSignal);
