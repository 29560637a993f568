/** Process entry. Installs signal handlers before it loads the (slow) application modules. */
import { installSignalHandlers } from './process/stop.ts';
import { keepTickObject } from './tuning/tick-object.ts';

const onSignal = installSignalHandlers();
keepTickObject();
const { serve } = await import('./process/serve.ts');
await serve(onSignal);
