/** Metrics of the diagnosis of images (`?diagnose`): what it found. */
import { Counter, type Registry } from 'prom-client';
import { FINDINGS } from '../../domain/predictions/diagnosis.ts';
import type { DiagnosisTally } from '../../protocols/prediction-tally.ts';
import { countBy } from './instruments.ts';

export type OnDiagnosed = (tally: DiagnosisTally) => void;

export function measureDiagnoses(registry: Registry): OnDiagnosed {
  const images = new Counter({
    name: 'atelier_diagnosed_images_total',
    help: 'Images of predictions and explanations that were diagnosed (?diagnose).',
    registers: [registry],
  });
  const help = 'Findings in diagnosed images, by code; an image can have several.';
  const countFindings = countBy(registry, 'atelier_diagnosis_findings_total', help, 'finding', FINDINGS);
  return ({ images: diagnosed, findings }) => {
    images.inc(diagnosed);
    for (const finding of FINDINGS) countFindings(finding, findings[finding] ?? 0);
  };
}
