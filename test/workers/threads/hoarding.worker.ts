/** Thread entry: takes memory until it is given no more. */
const kept: unknown[][] = [[1]];
for (;;) kept.push(kept.at(-1)!.concat(kept.at(-1)!));
