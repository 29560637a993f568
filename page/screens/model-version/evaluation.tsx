/** Evaluation of a version: confusion matrix with the images of its cells, scores by class, calibration. */
import type { JSX } from 'preact';
import { drawClassBars } from '../../../src/charts/class-bars.ts';
import { drawReliability } from '../../../src/charts/reliability.ts';
import type { Evaluation } from '../../../src/domain/checks/evaluation.ts';
import { requestJson } from '../../api/client.ts';
import { useAction } from '../../api/use-action.ts';
import { useDataset } from '../../api/use-dataset.ts';
import { type Resource, useResource } from '../../api/use-resource.ts';
import { Button } from '../../components/button.tsx';
import { Chart } from '../../components/chart.tsx';
import { Loaded } from '../../components/feedback/loaded.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { count, percent, significant } from '../../format.ts';
import { useDatasetName } from '../../state/dataset-names.ts';
import { CellImages } from './cell-images.tsx';
import { ConfusionChart } from './confusion.tsx';
import { CoverageTable } from './curves/coverage-table.tsx';
import { Ranking } from './curves/ranking.tsx';
import { setState, state } from './screen-state.ts';
import { type CardFigures, type ShownVersion, versionPath } from './shown-version.ts';

const SPLITS = ['test', 'validation', 'train'] as const;
const NAMES = { test: 'Test', validation: 'Validation', train: 'Training' } as const;

export interface EvaluationPanelProps {
  readonly version: ShownVersion;
  readonly onChange: () => void;
}

export function EvaluationPanel({ version, onChange }: EvaluationPanelProps): JSX.Element {
  const chosen = SPLITS.find((split) => split === state('split')) ?? 'test';
  const path = versionPath(version.name, version.version);
  const dataset = useDataset(version.lineage.dataset?.id).data;
  const offered = SPLITS.filter((split) => split !== 'validation' || dataset?.splits.validation);
  const other = useResource<Evaluation>(chosen === 'test' ? null : `${path}/evaluation?split=${chosen}`);
  // A card holds the evaluation only if a test result was revealed before, so this request is never a look.
  const card = useResource<CardFigures>(chosen === 'test' ? `${path}/card` : null, {
    headers: { accept: 'application/json' },
  });
  return (
    <div class="stack">
      <div class="actions">
        {offered.map((split) => (
          <Button
            key={split}
            pressed={split === chosen}
            onClick={() => setState({ split: split === 'test' ? null : split, cell: null })}
          >
            {NAMES[split]} images
          </Button>
        ))}
      </div>
      {chosen !== 'test' ? (
        <Loaded resource={other} lines={20}>
          {(evaluation) => <Figures evaluation={evaluation} isCalibrated={version.calibration !== null} />}
        </Loaded>
      ) : (
        <Loaded resource={card} lines={20}>
          {({ evaluation, notEvaluated, dataset }) =>
            evaluation === null ? (
              <NotEvaluated reason={notEvaluated!} path={dataset && path} card={card} onChange={onChange} />
            ) : (
              <Figures evaluation={evaluation} isCalibrated={version.calibration !== null} />
            )
          }
        </Loaded>
      )}
    </div>
  );
}

interface NotEvaluatedProps {
  readonly reason: string;
  /** Null if there are no images to evaluate on. */
  readonly path: string | null;
  readonly card: Resource<CardFigures>;
  readonly onChange: () => void;
}

/** The first evaluation of a version is a look, so the user has to order it. */
function NotEvaluated({ reason, path, card, onChange }: NotEvaluatedProps): JSX.Element {
  const { isBusy, problem, run } = useAction(async () => {
    const evaluation = await requestJson<Evaluation>(`${path}/evaluation`);
    card.replace({ ...card.data!, evaluation, notEvaluated: null });
    onChange();
  });
  return (
    <div class="box empty">
      <p>{reason}</p>
      {path !== null && (
        <>
          <p>Evaluating it now reveals a new test-set result. It counts as a look at the test set.</p>
          <Button kind="primary" isBusy={isBusy} onClick={run}>
            Evaluate and count a look
          </Button>
        </>
      )}
      {problem && <ProblemBox problem={problem} />}
    </div>
  );
}

interface FiguresProps {
  readonly evaluation: Evaluation;
  readonly isCalibrated: boolean;
}

function Figures({ evaluation, isCalibrated }: FiguresProps): JSX.Element {
  const { model, dataset, split, examples, accuracy, accuracyInterval, loss, macroAverage } = evaluation;
  const { calibration, classes } = evaluation;
  const version = versionPath(model.name, model.version);
  const path = `${version}/plots`;
  const subtitle = `${useDatasetName(model.name)}@${model.version} · ${split} split of ${useDatasetName(dataset)}`;
  const fileOf = (plot: string) => `${plot}-${model.name}-${model.version}-${split}`;
  return (
    <>
      <p>
        Accuracy {percent(accuracy)} ({(100 * accuracyInterval.low).toFixed(2)} –{' '}
        {percent(accuracyInterval.high)}) on {count(examples)} images, loss {significant(loss)}, mean F1{' '}
        {significant(macroAverage.f1)}.
      </p>
      <div class="columns wide">
        <ConfusionChart evaluation={evaluation} subtitle={subtitle} file={fileOf('confusion')} />
        <CellImages evaluation={evaluation} />
      </div>
      <div class="columns wide">
        <Chart
          draw={(options) => drawClassBars({ subtitle, classes }, options)}
          height={Math.max(280, 80 + 44 * Math.min(classes.length, 30))}
          table={{
            columns: ['Class', 'Precision', 'Recall', 'F1', 'Images'],
            rows: classes.map((each) => [each.className, each.precision, each.recall, each.f1, each.support]),
          }}
          plotPath={`${path}/classes?split=${split}`}
          file={fileOf('classes')}
        />
        <Chart
          draw={(options) => drawReliability({ subtitle, ...calibration }, options)}
          height={420}
          table={{
            columns: ['From', 'To', 'Images', 'Confidence', 'Accuracy'],
            rows: calibration.bins.map((bin) => [bin.from, bin.to, bin.count, bin.confidence, bin.accuracy]),
          }}
          plotPath={`${path}/calibration?split=${split}`}
          file={fileOf('calibration')}
        />
      </div>
      <Ranking path={version} split={split} subtitle={subtitle} fileOf={fileOf} />
      {isCalibrated && <CoverageTable path={version} split={split} />}
    </>
  );
}
