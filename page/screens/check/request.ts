/** The form of a gradient check, and the request that it makes. Empty fields are left out, so the service fills in its defaults. */
import { toLists } from '../train/form/values.ts';

export interface CheckForm {
  readonly subject: 'network' | 'model';
  readonly convolutions: string;
  readonly norm: string;
  readonly hidden: string;
  readonly activation: string;
  readonly init: string;
  readonly model: string;
  readonly dataset: string;
  readonly examples: string;
  readonly scheme: string;
  readonly stepSize: string;
  readonly tolerance: string;
  readonly sample: string;
  readonly seed: string;
}

export const DEFAULTS: CheckForm = {
  subject: 'network',
  convolutions: '',
  norm: 'none',
  hidden: '40',
  activation: 'relu',
  init: 'uniform-fan-in',
  model: '',
  dataset: '',
  examples: '',
  scheme: 'central',
  stepSize: '',
  tolerance: '',
  sample: '',
  seed: '0',
};

export function toRequest(form: CheckForm): Record<string, unknown> {
  const { subject, convolutions, norm, hidden, activation, init, model, dataset, scheme } = form;
  const stages = convolutions.trim() === '' ? {} : { convolutions: toLists(convolutions), norm };
  return {
    ...(subject === 'model'
      ? { model }
      : { network: { ...stages, hidden: toNumbers(hidden), activation, init } }),
    ...(dataset !== '' && { dataset }),
    ...optional('examples', form.examples),
    scheme,
    ...optional('stepSize', form.stepSize),
    ...optional('tolerance', form.tolerance),
    ...(form.sample.trim() !== '' && { coordinates: toCoordinates(form.sample.trim()) }),
    ...optional('seed', form.seed),
  };
}

const toCoordinates = (text: string) => (text === 'all' ? text : { sample: toNumber(text) });

const optional = (name: string, text: string) => (text.trim() === '' ? {} : { [name]: toNumber(text) });

const toNumbers = (text: string) =>
  text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(toNumber);

/** A text that is not a number is sent as it is, and the service rejects it with the reason. */
function toNumber(text: string): number | string {
  const value = Number(text);
  return Number.isFinite(value) ? value : text;
}

/** The fields of the form, and the file beside them. */
export type CheckField = keyof CheckForm | 'gradient';

/** Fields by the beginning of the pointers of their errors. */
export const POINTERS: Readonly<Record<string, CheckField>> = {
  '#/network/convolutions': 'convolutions',
  '#/network/norm': 'norm',
  '#/network/hidden': 'hidden',
  '#/network/activation': 'activation',
  '#/network/init': 'init',
  '#/model': 'model',
  '#/dataset': 'dataset',
  '#/examples': 'examples',
  '#/scheme': 'scheme',
  '#/stepSize': 'stepSize',
  '#/tolerance': 'tolerance',
  '#/coordinates': 'sample',
  '#/seed': 'seed',
  '#/gradient': 'gradient',
};
