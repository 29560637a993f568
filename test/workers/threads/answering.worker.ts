/** Thread entry for pool tests: returns, rejects, throws, exits or hangs, as ordered. */
import { AtelierError } from '../../../src/errors.ts';
import { serve } from '../../../src/workers/threads/serve.ts';

export type Order = 'answer' | 'refuse' | 'throw' | 'exit' | 'spin';

const tasks = {
  obey(order: Order): string {
    switch (order) {
      case 'answer':
        return 'answered';
      case 'refuse':
        throw new AtelierError('invalid-pixels', 'a pixel is 256', {
          details: [{ pointer: '#/image/3', detail: 'is 256' }],
        });
      case 'throw':
        throw new TypeError('a defect');
      case 'exit':
        return process.exit(3);
      case 'spin':
        for (;;);
    }
  },
  /** Fills the bytes, and moves them back. */
  fill({ bytes, value }: { bytes: Uint8Array; value: number }): Uint8Array {
    return bytes.fill(value);
  },
};
export type TestTasks = typeof tasks;

serve(tasks, { fill: (bytes) => [bytes] });
