/** Shows the events of a job: a bar at the bottom of a terminal, or a line per epoch. */
import type { EpochRecord, Progress } from '../../src/domain/jobs/epoch-record.ts';
import type { JobEvent } from '../../src/domain/jobs/training.ts';
import { CLEAR_LINE, formatFigure, printable } from '../text.ts';

const BAR_CELLS = 20;

export interface ProgressView {
  show(event: JobEvent): void;
  /** Reports a lost connection, once until the next event. */
  showLost(): void;
  /** Removes the bar. */
  end(): void;
}

/**
 * @param epochs number of epochs of the job
 * @param columns width of the terminal; null if the output is not a terminal
 */
export function createProgressView(
  write: (text: string) => void,
  epochs: number,
  columns: number | null,
): ProgressView {
  let progress: Pick<Progress, 'epoch' | 'fraction' | 'etaSeconds'> = {
    epoch: 0,
    fraction: 0,
    etaSeconds: null,
  };
  let record: EpochRecord | null = null;
  let isLost = false;

  const clear = () => columns !== null && write(CLEAR_LINE);
  function draw(): void {
    if (columns === null) return;
    const parts = [
      `epoch ${progress.epoch}/${epochs}`,
      ...(record
        ? [`loss ${formatFigure(record.trainLoss)}`, `accuracy ${formatFigure(accuracy(record))}`]
        : []),
      ...(progress.etaSeconds === null ? [] : [`${Math.ceil(progress.etaSeconds)} s left`]),
    ];
    const state = isLost ? 'connection lost, reconnecting' : parts.join(' · ');
    write(CLEAR_LINE + `${bar(progress.fraction)} ${state}`.slice(0, columns - 1));
  }
  function print(line: string): void {
    clear();
    write(`${printable(line)}\n`);
  }

  return {
    show({ type, data }) {
      isLost = false;
      if (type === 'progress') progress = data as Progress;
      else if (type === 'epoch') {
        record = data as EpochRecord;
        // Short jobs end without an event of progress.
        const fraction = Math.max(progress.fraction, record.epoch / epochs);
        progress = { ...progress, epoch: Math.max(progress.epoch, record.epoch), fraction };
        if (columns === null) print(describeEpoch(record));
      } else if (type === 'status') print(describeStatus(data));
      else if (type === 'warning') print(`warning: ${data['message'] ?? JSON.stringify(data)}`);
      draw();
    },
    showLost() {
      if (!isLost && columns === null) print('connection lost, reconnecting');
      isLost = true;
      draw();
    },
    end: clear,
  };
}

function describeStatus({ to, preemptedBy }: JobEvent['data']): string {
  return `status: ${to}${preemptedBy === undefined ? '' : `, because ${preemptedBy} has a higher priority`}`;
}

function bar(fraction: number): string {
  const cells = Math.floor(fraction * BAR_CELLS);
  const percent = `${Math.floor(fraction * 100)} %`.padStart(6);
  return `${'█'.repeat(cells)}${'░'.repeat(BAR_CELLS - cells)}${percent}`;
}

/** Accuracy on images that were not trained on, if it was measured. */
const accuracy = ({ validationAccuracy, testAccuracy, trainAccuracy }: EpochRecord) =>
  validationAccuracy ?? testAccuracy ?? trainAccuracy;

function describeEpoch(record: EpochRecord): string {
  const { epoch, trainLoss, validationLoss, validationAccuracy, testAccuracy } = record;
  const validation =
    validationLoss === null
      ? ''
      : `, validation loss ${formatFigure(validationLoss)}, accuracy ${formatFigure(validationAccuracy)}`;
  const test = testAccuracy === null ? '' : `, test accuracy ${formatFigure(testAccuracy)}`;
  return `epoch ${epoch}: loss ${formatFigure(trainLoss)}${validation}${test}`;
}
