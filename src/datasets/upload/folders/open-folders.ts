/** The form of images in an archive: their paths hold the classes, or a table or their names. */
import { showImageShape } from '../../../domain/image-shape.ts';
import { quote } from '../../../formats/models/file-error.ts';
import { exampleBytes } from '../../../numerics/network/image-shape.ts';
import { isArrayName } from '../arrays/match-roles.ts';
import type { ChosenShape, OpenedUpload, OpenForm, UploadFields } from '../form.ts';
import { rejectPart } from '../reject-part.ts';
import type { FileArchive } from './archive.ts';
import { type ClassFolders, findImages, isImageName, numberClasses } from './assign-classes.ts';
import { chooseShape, requestedShape } from './choose-shape.ts';
import { checkImageArchive, DECODING_BYTES, type ImageArchive, MAX_FILE_BYTES } from './images.ts';
import { isTableName, type LabelledByTable, labelByTables, type TableFields } from './label-table.ts';
import {
  EXPECTED_PATHS,
  suggestNames,
  type UnderstoodPaths,
  understandFolders,
  understandNames,
} from './understand-paths.ts';

/** Measured: the name and the position of a file in an archive. */
const FILE_BYTES = 600;

export const openImageFolders: OpenForm = async ({ files, archive, fields, maxBytes }) => {
  if (!archive) return undefined;
  const names = archive.files.map(({ name }) => name);
  if (names.some(isArrayName) && !names.some(isImageName)) return undefined;
  const opened = await openImageArchive(files[0]!.part, archive, fields);
  return openImages(opened, fields, maxBytes, archive.files.length * FILE_BYTES);
};

/** Opens images whose classes are known. @param extraBytes memory besides that to decode them */
export function openImages(
  opened: ImageArchive,
  fields: UploadFields,
  maxBytes: number,
  extraBytes: number,
): OpenedUpload {
  const chosen = requestedShape(fields.imageShape);
  if (chosen) assertFits(opened, chosen, maxBytes);
  return {
    images: opened.folders.images.length,
    chosen,
    extraBytes: DECODING_BYTES + extraBytes,
    async choose(maxPixels) {
      const shape = await chooseShape(opened, maxPixels, maxBytes);
      assertFits(opened, shape, maxBytes);
      return shape;
    },
    read: (shape, maxPixels) => checkImageArchive(opened, fields, shape, maxPixels),
  };
}

function assertFits({ part, folders }: ImageArchive, { imageShape }: ChosenShape, maxBytes: number): void {
  const bytes = folders.images.length * exampleBytes(imageShape);
  const shape = showImageShape(imageShape);
  if (bytes > maxBytes)
    rejectPart(part, `the images take ${bytes} bytes at ${shape}; the limit is ${maxBytes}`);
}

/** @throws AtelierError `invalid-dataset-file` */
export async function openImageArchive(
  part: string,
  archive: FileArchive,
  fields: Pick<UploadFields, 'classNames' | 'testFraction' | 'labels' | keyof TableFields>,
): Promise<ImageArchive> {
  const reject = (defect: string): never => rejectPart(part, defect);
  const folders = await findClasses(part, archive, fields);
  assertTested(part, folders, fields, 'put the class folders into train/ and test/');
  const large = folders.images.find(({ file }) => archive.files[file]!.bytes > MAX_FILE_BYTES);
  if (large) reject(`the image ${quote(large.path)} takes more than ${MAX_FILE_BYTES} bytes, the limit`);
  return { part, archive, folders };
}

/** Images are tested on those sent for it, or on a fraction. @param advice how test images are sent */
export function assertTested(
  part: string,
  { hasTest }: Pick<ClassFolders, 'hasTest'>,
  { testFraction }: Pick<UploadFields, 'testFraction'>,
  advice: string,
): void {
  if (hasTest && testFraction !== null)
    rejectPart('testFraction', 'it cannot be combined with test images; omit it');
  if (!hasTest && testFraction === null)
    rejectPart(
      part,
      `there are no test images; ${advice}, or send testFraction=0.2 to hold out that fraction of each class`,
    );
}

/** Classes are in folders, unless the form says otherwise, or a table labels images that are not in class folders. */
async function findClasses(
  part: string,
  archive: FileArchive,
  fields: Parameters<typeof openImageArchive>[2],
): Promise<ClassFolders> {
  const reject = (defect: string): never => rejectPart(part, defect);
  const names = archive.files.map(({ name }) => name);
  const { found, ignored } = findImages(names, reject);
  const finish = (understood: UnderstoodPaths, table?: LabelledByTable): ClassFolders => {
    const numbered = numberClasses(understood, fields.classNames, reject);
    const hasTest = numbered.images.some(({ split }) => split === 'test');
    return { ...numbered, layout: understood.layout, hasTest, ignored, ...(table && { table: table.table }) };
  };
  if (fields.labels === 'filename') return finish(understandNames(found, names, reject));
  const inFolders = understandFolders(found);
  const isLabelled =
    !('misplaced' in inFolders) && new Set(inFolders.images.map(({ className }) => className)).size > 1;
  const isRequested = fields.labels === 'table' || fields.fileColumn !== null || fields.labelColumn !== null;
  if (isLabelled && !isRequested) return finish(inFolders);
  const tables = ignored
    .filter(({ path, why }) => why === 'other' && isTableName(path))
    .map(({ file }) => file);
  const byTable = await labelByTables(part, archive, tables, found, fields);
  if (typeof byTable !== 'string') return finish({ source: 'class', ...byTable }, byTable);
  if (isRequested && tables.length === 0)
    reject('it holds no table; expected is a CSV or TSV beside the images');
  const advice =
    byTable === ''
      ? suggestNames(found)
      : `; ${byTable}: name those of the files and the classes with fileColumn and labelColumn`;
  if (isRequested) reject(`no table labels the images${advice}`);
  if (!('misplaced' in inFolders) && advice === '') return finish(inFolders);
  const { file } = 'misplaced' in inFolders ? inFolders.misplaced : found[0]!;
  return reject(`the image ${quote(names[file]!)} is not in a class folder; ${EXPECTED_PATHS}${advice}`);
}
