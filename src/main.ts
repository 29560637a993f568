/** The process. Everything but the ear for signals is loaded afterwards, which takes a while. */
import { installSignalHandlers } from './stop.ts';

const onSignal = installSignalHandlers();
const { start } = await import('./start.ts');
await start(onSignal);
