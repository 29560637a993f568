/** Screen: one training job, followed while it runs. */
import type { JSX } from 'preact';
import { Loaded } from '../../components/feedback/loaded.tsx';
import { Screen } from '../../components/screen.tsx';
import { Tabs } from '../../components/tabs.tsx';
import { useDatasetName } from '../../state/dataset-names.ts';
import { parameter, setParameters } from '../../state/parameters.ts';
import { Actions } from './actions.tsx';
import { Summary } from './summary.tsx';
import { CheckTab } from './tabs/check-tab.tsx';
import { CheckpointsTab } from './tabs/checkpoints-tab.tsx';
import { Curves } from './tabs/curves.tsx';
import { EpochsTab } from './tabs/epochs-tab.tsx';
import { PathTab } from './tabs/path-tab.tsx';
import { ReceiptTab } from './tabs/receipt-tab.tsx';
import { RequestTab } from './tabs/request-tab.tsx';
import { useTraining } from './use-training.ts';

export function Job({ id }: { readonly id: string }): JSX.Element {
  const training = useTraining(id);
  const { job } = training;
  const { data } = job;
  const name = useDatasetName(data?.modelName ?? id);
  return (
    <Screen
      title={data === null ? id : `${name} · ${id}`}
      heading={name}
      actions={data && <Actions job={data} onChange={job.replace} />}
    >
      <Loaded resource={job} lines={12}>
        {(loaded) => (
          <>
            <Summary job={loaded} training={training} />
            <div>
              <Tabs
                label="Parts of the job"
                current={parameter('tab')}
                onChange={(tab) => setParameters({ tab: tab === 'curves' ? '' : tab })}
                tabs={[
                  {
                    id: 'curves',
                    name: 'Curves',
                    content: () => <Curves job={loaded} training={training} />,
                  },
                  { id: 'epochs', name: 'Epochs', content: () => <EpochsTab training={training} /> },
                  { id: 'check', name: 'Check', content: () => <CheckTab job={loaded} /> },
                  { id: 'checkpoints', name: 'Checkpoints', content: () => <CheckpointsTab job={loaded} /> },
                  { id: 'path', name: 'Path', content: () => <PathTab job={loaded} /> },
                  { id: 'request', name: 'Request', content: () => <RequestTab job={loaded} /> },
                  { id: 'receipt', name: 'Receipt', content: () => <ReceiptTab job={loaded} /> },
                ]}
              />
            </div>
          </>
        )}
      </Loaded>
    </Screen>
  );
}
