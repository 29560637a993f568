/** A line on the terminal that shows how far a job is. */
import { stderr } from 'node:process';
import type { JobEvent } from './events.ts';

const BAR_CELLS = 20;
/** Carriage return, and erase to the end of the line. */
const CLEAR_LINE = '\r\u001B[K';

export interface ProgressBar {
  show(event: JobEvent): void;
  /** Removes the line. */
  clear(): void;
}

export function createProgressBar(epochs: number): ProgressBar {
  let [epoch, fraction, left, figures] = [0, 0, '', ''];
  return {
    show({ type, data }) {
      if (type === 'progress') {
        [epoch, fraction] = [Number(data['epoch']), Number(data['fraction'])];
        left = data['etaSeconds'] === null ? '' : ` · ${Math.ceil(Number(data['etaSeconds']))} s left`;
      } else if (type === 'epoch') {
        // Short jobs end without an event of progress.
        epoch = Number(data['epoch']);
        fraction = epoch / epochs;
        const accuracy = data['validationAccuracy'] ?? data['testAccuracy'] ?? data['trainAccuracy'];
        figures = ` · loss ${round(data['trainLoss'])} · accuracy ${round(accuracy)}`;
      }
      const cells = Math.floor(fraction * BAR_CELLS);
      const bar = '█'.repeat(cells) + '░'.repeat(BAR_CELLS - cells);
      const percent = `${Math.floor(fraction * 100)} %`.padStart(5);
      stderr.write(`${CLEAR_LINE}${bar} ${percent} epoch ${epoch}/${epochs}${figures}${left}`);
    },
    clear: () => void stderr.write(CLEAR_LINE),
  };
}

const round = (value: unknown) => Number(value).toFixed(4);
