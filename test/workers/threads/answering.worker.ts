/** Thread entry: answers, refuses, throws, exits or never answers, as its task says. */

import { AtelierError } from '../../../src/errors.ts';
import type { Outcome } from '../../../src/workers/messages.ts';
import { toOutcome } from '../../../src/workers/serialize-error.ts';

export type Order = 'answer' | 'refuse' | 'throw' | 'exit' | 'spin';

export default function obey(order: Order): Promise<Outcome<string>> {
  return toOutcome(() => {
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
  });
}
