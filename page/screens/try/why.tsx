/** Why: the image that the network received, and the occlusion and gradient maps of one class. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Explanation } from '../../../src/domain/predictions/explanation.ts';
import type { ImageShape } from '../../../src/numerics/network/image-shape.ts';
import { AsCurl } from '../../components/as-curl.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { Field } from '../../components/field.tsx';
import { PixelImage } from '../../components/pixel-image.tsx';
import { percent } from '../../format.ts';
import { blank } from './picture.ts';
import { explain, explanationRequest, type Predicted } from './predict.ts';
import type { ClassProbability } from './result.tsx';
import { useLatest } from './use-latest.ts';

const DELAY_MS = 250;

export interface WhyProps {
  /** Null before the first prediction. */
  readonly predicted: Predicted | null;
  readonly classes: readonly ClassProbability[];
  /** Shape of the images that the model takes. */
  readonly shape: ImageShape;
}

export function Why({ predicted, classes, shape }: WhyProps): JSX.Element {
  const [label, setLabel] = useState<number | null>(null);
  const key = useMemo(() => predicted && { predicted, label }, [predicted, label]);
  const { result, problem, isBusy } = useLatest(key, explain, DELAY_MS);
  const picture = predicted?.picture ?? blank(shape);
  return (
    <section class="box" aria-busy={isBusy}>
      <div class="screen-head">
        <h2>Why</h2>
        <Field id="try-class" label="Class to explain">
          {(attributes) => (
            <select
              {...attributes}
              value={label ?? ''}
              onChange={({ currentTarget: { value } }) => setLabel(value === '' ? null : Number(value))}
            >
              <option value="">The most probable one</option>
              {classes.map(({ label, className }) => (
                <option key={label} value={label}>
                  {className}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      {problem && <ProblemBox problem={problem} />}
      <div class="try-maps">
        <figure>
          <PixelImage picture={picture} label="Network input" />
          <figcaption>What the network sees</figcaption>
        </figure>
        <figure>
          <SignedMap shape={picture.shape} map={result?.occlusion.map} label="Occlusion map" />
          <figcaption>Occlusion</figcaption>
        </figure>
        <figure>
          <SignedMap shape={picture.shape} map={result?.gradient.map} label="Gradient map" />
          <figcaption>Gradient</figcaption>
        </figure>
      </div>
      <p role="status">
        {isBusy && result === null && 'The explanation is being computed.'}
        {result && (
          <>
            For <strong>{result.className}</strong>, {percent(result.probability, 1)}:{' '}
            <span class="try-for">blue</span> supports the class, <span class="try-against">orange</span>{' '}
            speaks against it.
          </>
        )}
      </p>
      <p class="note">
        Occlusion is how much the probability drops while a square of pixels is covered; the gradient, how its
        logarithm changes with each pixel.
      </p>
      {key && <AsCurl request={explanationRequest(key)} />}
    </section>
  );
}

/** Blue above zero, orange below; as opaque as the value is large, relative to the largest one. */
const FOR = [43, 123, 208];
const AGAINST = [217, 98, 43];

function SignedMap({
  shape: [height, width],
  map,
  label,
}: {
  readonly shape: ImageShape;
  /** One number for each pixel, also in colour. */
  readonly map: Explanation['gradient']['map'] | undefined;
  readonly label: string;
}): JSX.Element {
  const ref = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = ref.current!.getContext('2d')!;
    const image = context.createImageData(width, height);
    const values = map?.flat() ?? [];
    const largest = Math.max(...values.map((value) => Math.abs(value ?? 0)), Number.MIN_VALUE);
    for (const [i, value] of values.entries()) {
      const strength = (value ?? 0) / largest;
      image.data.set([...(strength < 0 ? AGAINST : FOR), Math.abs(strength) * 255], i * 4);
    }
    context.putImageData(image, 0, 0);
  }, [map, height, width]);
  return (
    <canvas class="pixels try-map" ref={ref} width={width} height={height} role="img" aria-label={label} />
  );
}
