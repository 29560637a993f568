/** Answers with a guarantee: the choice of the coverage, and the answer in words. */
import type { JSX } from 'preact';
import { Field } from '../../components/field.tsx';
import { count, percent } from '../../format.ts';
import { links } from '../../router.ts';
import type { Predicted } from './predict.ts';

const COVERAGES = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999];
const DEFAULT_COVERAGE = 0.95;
const disjunction = new Intl.ListFormat('en-GB', { type: 'disjunction' });
/** 95 %, 99.5 % */
const coverageText = (coverage: number) => `${Number((100 * coverage).toFixed(1))} %`;

export interface CoverageChoiceProps {
  /** Null without a guarantee. */
  readonly coverage: number | null;
  readonly onChange: (coverage: number | null) => void;
}

export function CoverageChoice({ coverage, onChange }: CoverageChoiceProps): JSX.Element {
  return (
    <div class="stack">
      <label class="check">
        <input
          type="checkbox"
          checked={coverage !== null}
          onChange={(event) => onChange(event.currentTarget.checked ? DEFAULT_COVERAGE : null)}
        />
        Answers with a guarantee
      </label>
      {coverage !== null && (
        <Field
          id="try-coverage"
          label="Coverage"
          extra={coverageText(coverage)}
          hint={`The classes of an answer contain the true one for at least ${coverageText(coverage)} of images like those of the calibration.`}
        >
          {(attributes) => (
            <input
              {...attributes}
              type="range"
              aria-valuetext={coverageText(coverage)}
              min={0}
              max={COVERAGES.length - 1}
              value={COVERAGES.indexOf(coverage)}
              onInput={(event) => onChange(COVERAGES[event.currentTarget.valueAsNumber]!)}
            />
          )}
        </Field>
      )}
    </div>
  );
}

/** The class, or with a coverage the set of classes and why it is unsure. */
export function Answer({ predicted }: { readonly predicted: Predicted }): JSX.Element {
  const { className, probability, classes, unsureBecause } = predicted.prediction;
  if (classes === undefined || unsureBecause === undefined) {
    return (
      <>
        <strong>{className}</strong> {percent(probability, 1)}
      </>
    );
  }
  const set = disjunction.format(classes.map((each) => `${each.className} ${percent(each.probability, 1)}`));
  if (unsureBecause === null) {
    return (
      <>
        <strong>Sure:</strong> {set}
      </>
    );
  }
  const reasons = {
    'several-classes': set,
    'no-class': 'no class is likely enough',
    'unlike-training-images': 'unlike anything it was trained on',
  };
  return (
    <>
      <strong>Unsure:</strong> {reasons[unsureBecause]}
      {unsureBecause === 'unlike-training-images' && classes.length > 0 && (
        <span class="note"> (otherwise {set})</span>
      )}
    </>
  );
}

/** The images that the guarantee rests on. */
export function Basis({ predicted }: { readonly predicted: Predicted }): JSX.Element | null {
  const { calibration } = predicted;
  if (calibration === undefined) return null;
  return (
    <p class="note">
      Calibrated on {count(calibration.images)} {calibration.split} images
      {calibration.reused && ', which also trained or chose the version: the coverage is approximate'}.
    </p>
  );
}

export function CalibrateLink({ name, version }: { readonly name: string; readonly version: number }) {
  return (
    <p>
      <a href={`${links.modelVersion(name, version)}?tab=coverage`}>
        Calibrate {name}@{version}
      </a>
    </p>
  );
}
