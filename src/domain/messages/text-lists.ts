/** Lists of names as text, for messages. */
const format = new Intl.ListFormat('en-GB', { type: 'disjunction' });

/** "a", "a or b", "a, b or c" */
export const listAlternatives = (names: readonly string[]): string => format.format(names);
