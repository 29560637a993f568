/** SVG elements as Preact nodes. The service renders them to text, a page to its document. */
import { h, type VNode } from 'preact';

export type Child = VNode | string | null | readonly Child[];
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Characters that XML 1.0 does not allow (section 2.2), and halves of surrogate pairs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are replaced
const NOT_XML = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/gu;

/** Creates an element. Numbers are rounded, so equal charts are equal bytes: lengths to 0.1, opacities to 0.01. */
export function element(name: string, attributes: Attributes, ...children: readonly Child[]): VNode {
  const rounded: Record<string, string | number | undefined> = {};
  for (const [attribute, value] of Object.entries(attributes)) {
    // Preact would render the name alone. XML does not allow that.
    if (value === '') continue;
    const digits = attribute.endsWith('opacity') ? 100 : 10;
    rounded[attribute] = typeof value === 'number' ? Math.round(value * digits) / digits : value;
  }
  return h(name, rounded, children.map(toXml));
}

function toXml(child: Child): Child {
  if (typeof child === 'string') return child.replace(NOT_XML, '\ufffd');
  return Array.isArray(child) ? child.map(toXml) : child;
}
