/** The dashboard for Grafana, made of the panels with Grafana's own types. */
import {
  StackingConfigBuilder,
  StackingMode,
  VizLegendOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { type Panel, ROWS } from './panels.ts';

/** Chosen at the top of the dashboard, so the file fits every Grafana. */
const DATASOURCE = { type: 'prometheus', uid: `\${datasource}` };
/** Of the 24 columns, so three panels are beside each other. */
const SIZE = { columns: 8, height: 8 };

function createPanel({ title, unit, queries, description, stacked }: Panel, id: number): PanelBuilder {
  const panel = new PanelBuilder()
    .id(id)
    .title(title)
    .unit(unit)
    .min(0)
    .datasource(DATASOURCE)
    .legend(new VizLegendOptionsBuilder().showLegend(true))
    .span(SIZE.columns)
    .height(SIZE.height);
  if (description !== undefined) panel.description(description);
  if (stacked) {
    panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A')).fillOpacity(20);
  }
  for (const [n, [expression, legend]] of queries.entries()) {
    const refId = String.fromCharCode('A'.charCodeAt(0) + n);
    panel.withTarget(new DataqueryBuilder().refId(refId).expr(expression).legendFormat(legend));
  }
  return panel;
}

export function createDashboard(): Dashboard {
  const dashboard = new DashboardBuilder('Atelier')
    .uid('atelier')
    .tags(['atelier'])
    .time({ from: 'now-6h', to: 'now' })
    .refresh('30s')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('model')
        .label('Model')
        .datasource(DATASOURCE)
        .query('label_values(atelier_predictions_total{job="atelier"}, model)')
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .includeAll(true)
        .multi(true)
        .current({ text: 'All', value: '$__all' }),
    );
  let id = 1;
  for (const [title, panels] of Object.entries(ROWS)) {
    dashboard.withRow(new RowBuilder(title).id(id++));
    for (const panel of panels) dashboard.withPanel(createPanel(panel, id++));
  }
  return dashboard.build();
}
