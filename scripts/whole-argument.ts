const LARGEST = 1_000_000;

/** Parses a whole number of the command line; exits on invalid text, before any result is replaced. */
export function wholeArgument(name: string, text: string, smallest = 1): number {
  const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= smallest && value <= LARGEST) return value;
  console.error(
    `--${name} must be a whole number from ${smallest} to ${LARGEST}, not ${JSON.stringify(text)}.`,
  );
  process.exit(1);
}
