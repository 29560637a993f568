/** Thread entry for pool tests: returns, rejects, throws, exits or hangs, as ordered. */
import { AtelierError } from '../../../src/errors.ts';
import type { Handlers } from '../../../src/workers/messages/by-pool.ts';
import { toOutcome } from '../../../src/workers/threads/outcome.ts';

export type Order = 'answer' | 'refuse' | 'throw' | 'exit' | 'spin';

export interface TestTasks {
  obey: { task: Order; result: string };
}

export const { obey } = {
  obey: (order) =>
    toOutcome(() => {
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
    }),
} satisfies Handlers<TestTasks>;
