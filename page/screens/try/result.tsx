/** A prediction: bars per class, the findings of the diagnosis, and their remedies as buttons. */
import type { JSX } from 'preact';
import { Button } from '../../components/button.tsx';
import type { Picture } from '../../components/picture.ts';
import { percent } from '../../format.ts';
import { remedyFor } from './picture.ts';
import type { Predicted } from './predict.ts';

/** All classes are shown in their order up to this number, and else the most probable ones. */
const MAX_BARS = 12;

export interface ClassProbability {
  readonly label: number;
  readonly className: string;
  /** Null before the first prediction. */
  readonly probability: number | null;
}

export interface BarsProps {
  /** In their order. */
  readonly classes: readonly ClassProbability[];
}

export function Bars({ classes }: BarsProps): JSX.Element {
  const of = ({ probability }: ClassProbability) => probability ?? 0;
  const shown =
    classes.length <= MAX_BARS ? classes : classes.toSorted((a, b) => of(b) - of(a)).slice(0, MAX_BARS);
  const most = Math.max(...classes.map(of));
  return (
    <table class="try-bars">
      <caption class="visually-hidden">Probability of each class</caption>
      <tbody>
        {shown.map(({ label, className, probability }) => (
          <tr key={label} class={most > 0 && probability === most ? 'first' : undefined}>
            <th scope="row">{className}</th>
            <td>
              <svg aria-hidden="true">
                <rect width={`${(probability ?? 0) * 100}%`} height="100%" />
              </svg>
            </td>
            <td class="number">{percent(probability, 1)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export interface DoctorProps {
  readonly predicted: Predicted;
  readonly onChange: (picture: Picture) => void;
}

export function Doctor({ predicted, onChange }: DoctorProps): JSX.Element | null {
  const { prediction, picture, undiagnosed } = predicted;
  const { diagnosis } = prediction;
  if (diagnosis === undefined)
    return undiagnosed === null ? null : <p class="note">No diagnosis: {undiagnosed}</p>;
  return (
    <div class="try-doctor" role="status">
      {diagnosis.findings.length === 0 && <p class="note">The image resembles the training images.</p>}
      {diagnosis.findings.map(({ code, detail, advice }) => {
        const remedy = remedyFor(code, picture);
        return (
          <div key={code} class="try-finding">
            <p>{detail}</p>
            <p>{advice}</p>
            {remedy && <Button onClick={() => onChange(remedy.apply())}>{remedy.name}</Button>}
          </div>
        );
      })}
      {diagnosis.corrected.map(({ code, detail }) => (
        <p key={code} class="note">
          {detail}
        </p>
      ))}
    </div>
  );
}
