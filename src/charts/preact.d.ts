/** The types of Preact that charts use. Those of the package would declare the globals of a browser for all of src. */

/** A node of a tree, to be rendered as text or into a document. */
export interface VNode {
  readonly type: unknown;
  readonly props: object;
  readonly key: unknown;
}

export function h(
  name: string,
  attributes: Readonly<Record<string, unknown>>,
  ...children: readonly unknown[]
): VNode;
