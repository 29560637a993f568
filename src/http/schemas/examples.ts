/** Examples of the contract's components, by component id. */
export const examples: Readonly<Record<string, unknown>> = {};
