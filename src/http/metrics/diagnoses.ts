/** Metrics of the diagnosis of images (`?diagnose`): what it found. */
import { Counter, type Registry } from 'prom-client';
import { FINDINGS } from '../../domain/predictions/diagnosis.ts';
import type { DiagnosisTally } from '../../protocols/prediction-tally.ts';

export type OnDiagnosed = (tally: DiagnosisTally) => void;

export function measureDiagnoses(registry: Registry): OnDiagnosed {
  const registers = [registry];
  const images = new Counter({
    name: 'atelier_diagnosed_images_total',
    help: 'Images of predictions and explanations that were diagnosed (?diagnose).',
    registers,
  });
  const found = new Counter({
    name: 'atelier_diagnosis_findings_total',
    help: 'Findings in diagnosed images, by code; an image can have several.',
    labelNames: ['finding'],
    registers,
  });
  for (const finding of FINDINGS) found.inc({ finding }, 0);

  return ({ images: diagnosed, findings }) => {
    images.inc(diagnosed);
    for (const finding of FINDINGS) found.inc({ finding }, findings[finding] ?? 0);
  };
}
