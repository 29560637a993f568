/** The result of a dry run before the upload: sample images, classes, and the report. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { CheckedDataset } from '../../../src/domain/datasets/representation.ts';
import { Classes } from './classes.tsx';
import { Report } from './report.tsx';

export function Preview({ checked }: { readonly checked: CheckedDataset }): JSX.Element {
  const { classNames, samples, report } = checked;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current!.focus(), [checked]);
  return (
    <>
      <section class="box">
        <h2 ref={heading} tabIndex={-1}>
          Nothing is stored yet
        </h2>
        <p>
          This is what the service has read. If it is right, upload it; otherwise change the fields above and
          check again.
        </p>
        <ul class="data-images">
          {samples?.map(({ split, index, label, image }) => (
            <li key={`${split} ${index}`}>
              <img class="pixels" src={image} alt={`${classNames[label]}, ${split} ${index}`} />
              <span class="note">{classNames[label]}</span>
            </li>
          ))}
        </ul>
      </section>
      <Classes dataset={checked} />
      {report !== null && <Report report={report} />}
    </>
  );
}
