/** Chooses the delimiter of a CSV by its first line. */
const DELIMITERS = [',', '\t', ';'] as const;

/** The delimiter that a line has most often outside of quotes: cells may hold the others, as 1,5 in `a;1,5;b` does. */
export function findDelimiter(line: string): string {
  const bare = line.replace(/"[^"]*"/g, '');
  const count = (delimiter: string) => bare.split(delimiter).length;
  return DELIMITERS.reduce((a, b) => (count(b) > count(a) ? b : a));
}
