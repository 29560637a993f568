/** Parsers under test, and the inputs that they get. */
import { createRandom, mutate, type Random } from './mutations.ts';

export interface Parser {
  readonly files: readonly Uint8Array[];
  /** Corrects checksums in every second input, so that the code behind them is reached. */
  readonly seal?: (bytes: Uint8Array) => Uint8Array;
  /** Called before the first input. */
  open?(): Promise<void>;
  /** Returns a value, throws, or rejects. `random` chooses options. */
  parse(bytes: Uint8Array, random: Random): unknown;
  close?(): Promise<void>;
}

export type Parsers = Readonly<Record<string, () => Parser | Promise<Parser>>>;

/** The input of the given number, and the random numbers that choose its options. */
export function createInput(
  { files, seal }: Parser,
  name: string,
  seed: number,
  index: number,
): { readonly bytes: Uint8Array; readonly random: Random } {
  const random = createRandom(`${seed}/${name}/${index}`);
  const bytes = mutate(files, random);
  return { bytes: seal && random.below(2) === 0 ? seal(bytes) : bytes, random };
}
