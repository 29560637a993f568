/** The images that a dry run shows: of each class in turn, as they would be stored. */
import { MAX_SAMPLES, type SampleImage, SPLITS } from '../../domain/datasets/representation.ts';
import { toPng } from '../../images/encoded.ts';
import { valueCount } from '../../numerics/network/image-shape.ts';
import type { CheckedUpload } from './finish.ts';
import { imageRow } from './split-test.ts';

export async function pickSamples({
  tensors,
  imageShape,
  classNames,
}: Pick<CheckedUpload, 'tensors' | 'imageShape' | 'classNames'>): Promise<SampleImage[]> {
  const counts = new Uint32Array(classNames.length);
  const chosen: (Omit<SampleImage, 'image'> & { readonly turn: number })[] = [];
  for (const split of SPLITS) {
    for (const [index, label] of (tensors[split]?.labels ?? []).entries()) {
      const turn = counts[label]!++;
      if (turn * classNames.length < MAX_SAMPLES) chosen.push({ split, index, label, turn });
    }
  }
  return Promise.all(
    chosen
      .toSorted((a, b) => a.turn - b.turn || a.label - b.label)
      .slice(0, MAX_SAMPLES)
      .map(async ({ turn: _, ...sample }) => {
        const { pixels } = tensors[sample.split]!;
        const png = await toPng(imageRow(pixels, valueCount(imageShape), sample.index), imageShape);
        return { ...sample, image: `data:image/png;base64,${png.toString('base64')}` };
      }),
  );
}
