/** The logits with one parameter of a convolution or a norm perturbed, computed from its layer on. */
import type { ExamplePass } from '../reference/example-pass.ts';
import type { Coordinate, Perturbation } from './perturbation.ts';

/** Values of one example, as the unperturbed network computed them. */
interface Kept {
  /** The input of the first layer, then the output of each layer. */
  readonly outputs: readonly Float64Array[];
  /** For each layer, its pieces and its winners, if any; see `ReferenceLayer`. */
  readonly pieces: readonly (Uint8Array | undefined)[];
  readonly winners: readonly (Int32Array | undefined)[];
}

/**
 * The output of every layer is linear in each parameter, so the output of the parameter's own layer is changed, without computing
 * it again. Everything above is computed in full, with the layers of `pass`, which has convolutions.
 */
export function createPerturbedVolumes(pass: ExamplePass, examples: number) {
  const { layers, dense, activation } = pass;
  const owners = [...layers.keys()].filter((l) => layers[l]!.addChange !== undefined);
  const kept = new Array<Kept>(examples);
  const volumes = layers.length - dense.length;

  /** Whether a value of the current pass, above layer l, is on another side of a kink. */
  function hasCrossed(before: Kept, l: number): boolean {
    for (let above = l + 1; above < volumes; above++) {
      const { pieces, winners } = layers[above]!;
      if (winners?.some((winner, p) => winner !== before.winners[above]![p])) return true;
      if (pieces === undefined) continue;
      const earlier = before.pieces[above]!;
      // Below a pooling layer, only the winners pass on their values.
      const crossed =
        layers[above + 1]!.winners?.some((p) => pieces[p] !== earlier[p]) ??
        pieces.some((piece, p) => piece !== earlier[p]);
      if (crossed) return true;
    }
    if (!activation.hasKink) return false;
    return dense.slice(0, -1).some(({ output }, hidden) => {
      const earlier = before.outputs[volumes + hidden + 1]!;
      return output.some((z, unit) => z > 0 !== earlier[unit]! > 0);
    });
  }

  return {
    /** Keeps the values of the last forward pass as those of example n. */
    keep(n: number): void {
      kept[n] = {
        outputs: [pass.image!, ...layers].map(({ output }) => output.slice()),
        pieces: layers.map(({ pieces }) => pieces?.slice()),
        winners: layers.map(({ winners }) => winners?.slice()),
      };
    },
    /** The input of the first fully connected layer for example n. */
    last: (n: number): Float64Array => kept[n]!.outputs[volumes]!,
    /** The logits of example n with the parameter changed by `delta`; the next call overwrites them. */
    logits(out: Perturbation, n: number, { block, index }: Coordinate, delta: number): Float64Array {
      const { outputs } = kept[n]!;
      const l = owners[block >> 1]!;
      const below = l === 0 ? pass.image! : layers[l - 1]!;
      below.output.set(outputs[l]!);
      layers[l]!.output.set(outputs[l + 1]!);
      layers[l]!.addChange!(block & 1, index, delta);
      for (const layer of layers.slice(l + 1)) layer.forward();
      if (!out.crossed) out.crossed = hasCrossed(kept[n]!, l);
      return dense.at(-1)!.output;
    },
  };
}
