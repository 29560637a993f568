/** Screen: one version of a model. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useResource } from '../../api/use-resource.ts';
import { Button } from '../../components/button.tsx';
import { Loaded } from '../../components/feedback/loaded.tsx';
import { Screen } from '../../components/screen.tsx';
import { Tabs } from '../../components/tabs.tsx';
import { links } from '../../router.ts';
import { useDatasetName } from '../../state/dataset-names.ts';
import { Aliases } from './aliases.tsx';
import { Card } from './card.tsx';
import { Comparison } from './comparison.tsx';
import { Coverage } from './coverage.tsx';
import { DeleteVersion } from './delete-version.tsx';
import { EvaluationPanel } from './evaluation.tsx';
import { Exports } from './exports.tsx';
import { setState, state } from './screen-state.ts';
import { type ShownVersion, versionPath } from './shown-version.ts';
import { Summary } from './summary.tsx';
import { Weights } from './weights.tsx';

export function ModelVersion({
  name,
  version,
}: {
  readonly name: string;
  readonly version: string;
}): JSX.Element {
  const resource = useResource<ShownVersion>(versionPath(name, version));
  const [isDeleting, setDeleting] = useState(false);
  const shown = resource.data;
  const isChampion = shown?.aliases.includes('champion');
  const title = `${useDatasetName(name)}@${shown?.version ?? version}`;
  return (
    <Screen
      title={title}
      heading={
        <>
          {title}
          {isChampion && (
            <span class="model-champion">
              <span aria-hidden="true">★</span> champion
            </span>
          )}
        </>
      }
      actions={
        shown && (
          <>
            <Button href={links.try(`${name}@${shown.version}`)}>Try it</Button>
            <Button kind="danger" onClick={() => setDeleting(true)}>
              Delete
            </Button>
          </>
        )
      }
    >
      <Loaded resource={resource} lines={6}>
        {(data) => (
          <>
            <Summary version={data} />
            <Panels version={data} onChange={resource.reload} />
            {isDeleting && <DeleteVersion version={data} onClose={() => setDeleting(false)} />}
          </>
        )}
      </Loaded>
    </Screen>
  );
}

interface PanelsProps {
  readonly version: ShownVersion;
  /** After an alias has moved, or a test result was revealed. */
  readonly onChange: () => void;
}

function Panels({ version, onChange }: PanelsProps): JSX.Element {
  const tabs = [
    {
      id: 'evaluation',
      name: 'Evaluation',
      content: () => <EvaluationPanel version={version} onChange={onChange} />,
    },
    {
      id: 'coverage',
      name: 'Coverage',
      content: () => <Coverage version={version} onChange={onChange} />,
    },
    { id: 'weights', name: 'Weights', content: () => <Weights version={version} /> },
    {
      id: 'compare',
      name: 'Compare',
      content: () => <Comparison version={version} onChange={onChange} />,
    },
    { id: 'aliases', name: 'Aliases', content: () => <Aliases version={version} onChange={onChange} /> },
    { id: 'export', name: 'Export', content: () => <Exports version={version} /> },
    { id: 'card', name: 'Card', content: () => <Card version={version} /> },
  ];
  return (
    <div>
      <Tabs
        label="About the version"
        tabs={tabs}
        current={state('tab') ?? ''}
        onChange={(tab) => setState({ tab })}
      />
    </div>
  );
}
