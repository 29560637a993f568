/** Process entry. Installs signal handlers before it loads the (slow) application modules. */
import { installSignalHandlers } from './process/stop.ts';

const onSignal = installSignalHandlers();
const { serve } = await import('./process/serve.ts');
await serve(onSignal);
