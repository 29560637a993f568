/** Weights of a layer as an image: tiles of the size of the input for the first layer. */
import { useState } from 'preact/hooks';
import { DownloadLink } from '../../components/download-link.tsx';
import { Field } from '../../components/field.tsx';
import { ApiImage } from '../../components/pixel-image.tsx';
import { shapeText } from '../../format.ts';
import { type ShownVersion, versionPath } from './shown-version.ts';

const SCALE = 'Red is positive, blue negative, white zero.';
const COLOUR_SCALE = 'In each colour, grey is zero, lighter is positive and darker negative.';

export function Weights({
  version: { name, version, inputShape, convolutions, layerSizes },
}: {
  readonly version: ShownVersion;
}) {
  const [layer, setLayer] = useState(1);
  const path = `${versionPath(name, version)}/weights?layer=${layer}`;
  const filters = convolutions.flat();
  const sizes = layerSizes.slice(convolutions.length);
  const layers = [
    ...filters.map((units, i) => ({ name: `K${i + 1}`, units, inputs: 9 * (filters[i - 1] ?? 1) })),
    ...sizes.slice(1).map((units, i) => ({ name: `W${i + 1}`, units, inputs: sizes[i]! })),
  ];
  const { name: block, units, inputs } = layers[layer - 1]!;
  const what = filters.length > 0 ? 'filters, 3×3' : `units, ${shapeText(inputShape)}`;
  const text =
    layer === 1
      ? `${block}: one tile for each of the ${units} ${what} weights each.`
      : `${block}: ${units} units (rows) × ${inputs} inputs (columns).`;
  return (
    <section class="box" aria-label="Weights">
      <Field id="model-layer" label="Layer">
        {(attributes) => (
          <select
            {...attributes}
            class="model-select"
            value={layer}
            onChange={({ currentTarget }): void => setLayer(Number(currentTarget.value))}
          >
            {layers.map((each, i) => (
              <option key={each.name} value={i + 1}>
                {`${each.name}: ${each.units} × ${i === 0 && filters.length > 0 ? '3×3' : each.inputs}`}
              </option>
            ))}
          </select>
        )}
      </Field>
      <figure class="stack">
        <ApiImage path={path} alt={text} className="model-weights" />
        <figcaption class="note">
          {text} {layer === 1 && inputShape.length === 3 ? COLOUR_SCALE : SCALE}
        </figcaption>
      </figure>
      <p class="links">
        <DownloadLink name="PNG" file={`weights-${name}-${version}-${layer}.png`} from={{ path }} />
      </p>
    </section>
  );
}
