/** Images at their shape: from numbers, or from the API. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { request } from '../api/client.ts';
import type { Picture } from './picture.ts';

export interface PixelImageProps {
  readonly picture: Picture;
  /** Describes the image. */
  readonly label: string;
}

/** Draws a picture, enlarged by CSS without smoothing. */
export function PixelImage({ picture, label }: PixelImageProps): JSX.Element {
  const ref = useRef<HTMLCanvasElement>(null);
  const [height, width] = picture.shape;
  useEffect(() => {
    const context = ref.current!.getContext('2d')!;
    const image = context.createImageData(width, height);
    const { values } = picture;
    const isColour = picture.shape.length === 3;
    for (let i = 0; i < width * height; i++) {
      const colour = isColour ? values.slice(3 * i, 3 * i + 3) : Array<number>(3).fill(values[i]!);
      image.data.set([...colour, 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
  }, [picture]);
  return <canvas class="pixels" ref={ref} width={width} height={height} role="img" aria-label={label} />;
}

/** An image of the API. It is fetched, since `<img src>` sends no key. */
export function ApiImage({
  path,
  alt,
  className = 'pixels',
}: {
  readonly path: string;
  readonly alt: string;
  readonly className?: string;
}): JSX.Element {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const controller = new AbortController();
    let created: string | undefined;
    request(path, { signal: controller.signal, isRecorded: false })
      .then((response) => response.blob())
      .then((blob) => {
        if (controller.signal.aborted) return;
        created = URL.createObjectURL(blob);
        setUrl(created);
      })
      .catch(() => setUrl(undefined));
    return () => {
      controller.abort();
      if (created !== undefined) URL.revokeObjectURL(created);
    };
  }, [path]);
  return url === undefined ? (
    <span class={`${className} missing`} role="img" aria-label={alt} />
  ) : (
    <img class={className} src={url} alt={alt} />
  );
}
