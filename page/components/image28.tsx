/** An image of a data set: from pixels, or from the API. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { request } from '../api/client.ts';

export interface PixelImageProps {
  /** Row by row, from 0 (black) to 1 (white). */
  readonly pixels: ArrayLike<number>;
  readonly width?: number;
  /** Describes the image. */
  readonly label: string;
}

/** Draws pixels, enlarged by CSS without smoothing. */
export function PixelImage({ pixels, width = 28, label }: PixelImageProps): JSX.Element {
  const ref = useRef<HTMLCanvasElement>(null);
  const height = Math.max(1, Math.ceil(pixels.length / width));
  useEffect(() => {
    const context = ref.current!.getContext('2d')!;
    const image = context.createImageData(width, height);
    for (let i = 0; i < pixels.length; i++) image.data.set(Array(3).fill(pixels[i]! * 255), i * 4);
    for (let i = 3; i < image.data.length; i += 4) image.data[i] = 255;
    context.putImageData(image, 0, 0);
  }, [pixels, width, height]);
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
