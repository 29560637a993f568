/** The form of images in an archive: their paths hold the classes, or a table or their names. */
import { showImageShape } from '../../../domain/image-shape.ts';
import { valueCount } from '../../../numerics/network/image-shape.ts';
import type { ChosenShape, OpenForm } from '../form.ts';
import { rejectPart } from '../reject-part.ts';
import { isImageName } from './assign-classes.ts';
import { chooseShape, requestedShape } from './choose-shape.ts';
import { checkImageArchive, DECODING_BYTES, type ImageArchive, openImageArchive } from './images.ts';

/** Measured: the name and the position of a file in an archive. */
const FILE_BYTES = 600;

export const openImageFolders: OpenForm = async ({ files, archive, fields, maxBytes }) => {
  const holdsArrays = archive?.files.some(({ name }) => name.endsWith('.npy')) ?? true;
  if (!archive || (holdsArrays && !archive.files.some(({ name }) => isImageName(name)))) return undefined;
  const opened = openImageArchive(files[0]!.part, archive, fields);
  const chosen = requestedShape(fields.imageShape);
  if (chosen) assertFits(opened, chosen, maxBytes);
  return {
    images: opened.folders.images.length,
    chosen,
    extraBytes: DECODING_BYTES + archive.files.length * FILE_BYTES,
    async choose(maxPixels) {
      const shape = await chooseShape(opened, maxPixels);
      assertFits(opened, shape, maxBytes);
      return shape;
    },
    read: (shape, maxPixels) => checkImageArchive(opened, fields, shape, maxPixels),
  };
};

function assertFits({ part, folders }: ImageArchive, { imageShape }: ChosenShape, maxBytes: number): void {
  const bytes = folders.images.length * (valueCount(imageShape) + 1);
  const shape = showImageShape(imageShape);
  if (bytes > maxBytes)
    rejectPart(part, `the images take ${bytes} bytes at ${shape}; the limit is ${maxBytes}`);
}
