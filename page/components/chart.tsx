/** A chart of `src/charts` at the available width, with its sentence, its data table and its files. */
import type { ComponentChildren, JSX, VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ChartOptions } from '../../src/charts/parts/figure.ts';
import type { Theme } from '../../src/charts/parts/theme.ts';
import type { VNode as ChartNode } from '../../src/charts/preact.d.ts';
import { toCsv } from '../format.ts';
import { DownloadLink } from './download-link.tsx';
import { ScrollRegion } from './scroll-region.tsx';

/** The colours of page.css. They follow the theme. */
export const PAGE_THEME: Theme = {
  paper: 'var(--paper)',
  ink: 'var(--ink)',
  muted: 'var(--muted)',
  grid: 'var(--line)',
  series: Array.from({ length: 8 }, (_, i) => `var(--series-${i + 1})`),
  accent: 'var(--series-1)',
  error: 'var(--series-2)',
  onArea: 'var(--on-area)',
};

export interface ChartTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

interface CursorProps {
  readonly label: string;
  readonly count: number;
  /** Index of the first point that is read out. */
  readonly start: number;
  readonly describe: (index: number) => string;
}

export interface ChartProps {
  /** Draws with a function of `src/charts`. */
  readonly draw: (options: ChartOptions) => ChartNode;
  /** In pixels; also reserved before the chart is drawn. */
  readonly height?: number;
  /** The numbers of the chart: for the table, and for CSV unless `csvPath` is given. */
  readonly table?: ChartTable;
  /** Path of the plot in the API, for SVG and PNG, such as `/v1/training-jobs/job_…/plots/loss`. */
  readonly plotPath?: string | undefined;
  /** Path of a resource that responds with CSV to `Accept: text/csv`. */
  readonly csvPath?: string;
  /** Name of the files, without the extension. */
  readonly file: string;
  /** A cursor that arrow keys move over the points and that reads out their numbers. */
  readonly cursor?: CursorProps | undefined;
  /** Between the chart and its links: switches, legends. */
  readonly children?: ComponentChildren;
}

const NARROWEST = 240;

export function Chart(props: ChartProps): JSX.Element {
  const { draw, height = 280, table, cursor, children } = props;
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setWidth(Math.max(NARROWEST, Math.floor(ref.current?.clientWidth ?? 0)));
    const observer = new ResizeObserver(measure);
    observer.observe(ref.current!);
    measure();
    return () => observer.disconnect();
  }, []);
  const drawing = width === 0 ? null : (draw({ width, height, theme: PAGE_THEME, hasNotes: false }) as VNode);
  return (
    <figure class="chart">
      <div ref={ref} class="chart-area">
        {drawing ?? <svg height={height} aria-hidden="true" />}
      </div>
      {cursor && cursor.count > 0 && <Cursor {...cursor} />}
      <figcaption>{drawing && describe(drawing)}</figcaption>
      {children}
      <div class="chart-files">
        {table && <DataTable table={table} />}
        <Files {...props} />
      </div>
    </figure>
  );
}

/** The text of the `desc` element of a chart. */
function describe(node: VNode): string {
  const { children } = node.props;
  const all = [children].flat(Number.POSITIVE_INFINITY as 1) as unknown as readonly (VNode | string)[];
  const desc = all.find((child) => typeof child === 'object' && child?.type === 'desc') as VNode | undefined;
  return desc === undefined ? '' : [desc.props.children].flat(Number.POSITIVE_INFINITY as 1).join('');
}

function Cursor({ label, count, start, describe }: CursorProps): JSX.Element {
  const [chosen, setChosen] = useState(start);
  const index = Math.min(chosen, count - 1);
  const text = describe(index);
  return (
    <div class="chart-cursor">
      <input
        type="range"
        aria-label={label}
        aria-valuetext={text}
        min={0}
        max={count - 1}
        value={index}
        onInput={(event) => setChosen(event.currentTarget.valueAsNumber)}
      />
      <output aria-hidden="true">{text}</output>
    </div>
  );
}

function DataTable({ table }: { readonly table: ChartTable }): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Numbers</summary>
      {isOpen && (
        <ScrollRegion label="Numbers of the chart">
          <table>
            <thead>
              <tr>
                {table.columns.map((name) => (
                  <th key={name} scope="col" class="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {table.rows.map((row, i) => (
                <tr key={i}>
                  {row.map((value, column) => (
                    <td key={table.columns[column]} class="number">
                      {value ?? '–'}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollRegion>
      )}
    </details>
  );
}

function Files({ plotPath, csvPath, table, file }: ChartProps): JSX.Element {
  const query = plotPath?.includes('?') ? '&' : '?';
  return (
    <span class="links">
      {plotPath !== undefined &&
        (['svg', 'png'] as const).map((format) => (
          <DownloadLink
            key={format}
            name={format.toUpperCase()}
            file={`${file}.${format}`}
            from={{ path: `${plotPath}${query}format=${format}${format === 'png' ? '&density=2' : ''}` }}
          />
        ))}
      {csvPath !== undefined ? (
        <DownloadLink name="CSV" file={`${file}.csv`} from={{ path: csvPath, accept: 'text/csv' }} />
      ) : (
        table && <DownloadLink name="CSV" file={`${file}.csv`} from={{ text: toCsv(table) }} />
      )}
    </span>
  );
}
