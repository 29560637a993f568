/** Images as a client sent them: numbers, and PNG, JPEG and WebP that are not decoded yet. */
import type { ReceivedImages } from './decode.ts';

export interface EncodedFile {
  readonly bytes: Uint8Array;
  /** Name of the file in its form; undefined if the file is the whole body, or part of JSON. */
  readonly name?: string | undefined;
  /** JSON pointer of the image in a JSON body: `#/image`, `#/images/3`. */
  readonly pointer?: string | undefined;
}

export interface EncodedImage extends EncodedFile {
  readonly kind: 'encoded';
}

export type SentImages =
  | ReceivedImages
  /** A JSON body whose images are encoded. */
  | { readonly kind: 'encoded-json'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'parts';
      readonly parts: readonly (EncodedImage | ReceivedImages)[];
      /** Names of the files of a form, one per part; null for any other body. */
      readonly names: readonly string[] | null;
    };
