/** Labels: the index of the class of each image, in one byte, or in two with more than 256 classes. */

export type Labels = Uint8Array | Uint16Array;

type LabelsType = Uint8ArrayConstructor | Uint16ArrayConstructor;

const typeFor = (classes: number): LabelsType => (classes > 256 ? Uint16Array : Uint8Array);

/** Bytes of a label. */
export const bytesPerLabel = (classes: number): number => typeFor(classes).BYTES_PER_ELEMENT;

/** As many labels 0. */
export const createLabels = (classes: number, count: number): Labels => new (typeFor(classes))(count);

/** The given labels, in the type for this number of classes. */
export function toLabels(classes: number, labels: Iterable<number> & ArrayLike<number>): Labels {
  return new (typeFor(classes))(labels);
}

/** The labels of the given images, in their order. */
export function selectLabels(labels: Labels, indices: Iterable<number>): Labels {
  const Type: LabelsType = labels instanceof Uint8Array ? Uint8Array : Uint16Array;
  return Type.from(Array.from(indices, (index) => labels[index]!));
}

/** The bytes of the labels, little-endian. */
export const labelBytes = ({ buffer, byteOffset, byteLength }: Labels): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
