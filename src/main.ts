/** Process entry. Installs signal handlers before it loads the (slow) application modules. */
import { installSignalHandlers } from './stop.ts';
import { keepTickObject } from './tick-object.ts';

const onSignal = installSignalHandlers();
keepTickObject();
const { start } = await import('./start.ts');
await start(onSignal);
