/** The comparison of the user's own gradient with the right one, by block, with hints. */
import type { JSX } from 'preact';
import type { GradientCheck } from '../../../src/domain/checks/gradient.ts';
import { Table } from '../../components/table.tsx';
import { significant } from '../../format.ts';
import { Mark, scientific } from './report.tsx';

type Submitted = NonNullable<GradientCheck['submitted']>;

export function MyGradient({ submitted }: { readonly submitted: Submitted }): JSX.Element {
  const { agrees, relativeError, cosine, triedAll, blocks } = submitted;
  const hints = blocks.flatMap(({ hint }) => hint ?? []);
  const show = (value: number | null) => (value === null ? 'not finite' : scientific(value));
  return (
    <section class="stack">
      <h2>{agrees ? 'My gradient is right' : 'My gradient is wrong'}</h2>
      <div class={`box check-verdict ${agrees ? 'passed' : 'problem'}`}>
        <p>
          {agrees
            ? `It agrees with the reference in every block: relative error ${show(relativeError)}.`
            : relativeError === null
              ? 'Some of its numbers are not finite.'
              : `It differs from the reference: relative error ${show(relativeError)}${cosine === null ? '' : `, cosine ${significant(cosine)}`}.`}
        </p>
        {hints.map(({ sentence }) => (
          <p key={sentence}>{sentence}</p>
        ))}
        {!triedAll && <p>Not all mistakes were tried on the other blocks, because the network is large.</p>}
      </div>
      <div class="box">
        <Table
          caption="My gradient"
          rows={blocks}
          keyOf={({ name }) => name}
          columns={[
            { name: 'Block', cell: ({ name }) => <strong>{name}</strong> },
            { name: 'Agrees', cell: (block) => <Mark isMet={block.agrees} /> },
            { name: 'Relative error', isNumber: true, cell: (block) => show(block.relativeError) },
            { name: 'Allowed', isNumber: true, cell: ({ tolerance }) => scientific(tolerance) },
            { name: 'Largest difference at', cell: ({ largest }) => `[${largest.index.join(', ')}]` },
            {
              name: 'Given',
              isNumber: true,
              cell: ({ largest }) => (largest.given === null ? 'not finite' : significant(largest.given)),
            },
            { name: 'Right', isNumber: true, cell: ({ largest }) => significant(largest.right) },
            { name: 'Mistake', cell: ({ agrees, hint }) => hint?.kind ?? (agrees ? '' : 'unknown') },
          ]}
        />
      </div>
    </section>
  );
}
