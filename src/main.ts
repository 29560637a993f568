/** The process. Everything but the ear for signals is loaded afterwards, which takes a while. */
import { hearSignals } from './stop.ts';

const onSignal = hearSignals();
const { start } = await import('./start.ts');
await start(onSignal);
