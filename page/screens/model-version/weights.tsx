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
  version: { name, version, inputShape, layerSizes },
}: {
  readonly version: ShownVersion;
}) {
  const [layer, setLayer] = useState(1);
  const path = `${versionPath(name, version)}/weights?layer=${layer}`;
  const [inputs, units] = layerSizes.slice(layer - 1, layer + 1) as [number, number];
  const text =
    layer === 1
      ? `W1: one tile for each of the ${units} units, ${shapeText(inputShape)} weights each.`
      : `W${layer}: ${units} units (rows) × ${inputs} inputs (columns).`;
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
            {layerSizes.slice(1).map((size, i) => (
              <option key={i} value={i + 1}>
                {`W${i + 1}: ${size} × ${layerSizes[i]}`}
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
