/** The picture on the Try screen, enlarged; grey ones are drawn on, by pointer or by keyboard. */
import type { JSX, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ImageShape } from '../../../src/numerics/network/image-shape.ts';
import type { Picture } from '../../components/picture.ts';
import { PixelImage } from '../../components/pixel-image.tsx';
import { type Brush, draw, type Point } from './picture.ts';

/** Longest side of an enlarged picture, in CSS pixels. */
const LONGEST_SIDE = 280;

/** Gives an element the proportions of a picture, each pixel with a whole number of CSS pixels if there is room. */
function useEnlarged([height, width]: ImageShape): RefObject<HTMLDivElement | null> {
  const area = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const { style } = area.current!;
    style.setProperty('width', `${width * Math.floor(LONGEST_SIDE / Math.max(height, width))}px`);
    style.setProperty('aspect-ratio', `${width} / ${height}`);
  }, [height, width]);
  return area;
}

const describeSize = ([height, width]: ImageShape) => `Image of ${height} by ${width} pixels`;

export function ShownPicture({ picture }: { readonly picture: Picture }): JSX.Element {
  return (
    <div ref={useEnlarged(picture.shape)} class="try-picture">
      <PixelImage picture={picture} label={describeSize(picture.shape)} />
    </div>
  );
}

export interface PadProps {
  /** Grey. */
  readonly picture: Picture;
  readonly brush: Brush;
  /** @param isNewStroke false while a stroke continues, so one undo removes all of it */
  readonly onDraw: (picture: Picture, isNewStroke: boolean) => void;
  readonly onUndo: () => void;
}

const MOVES: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};
const clamp = (value: number, size: number) => Math.max(0, Math.min(size - 1, value));
const middleOf = ({ x, y }: Point): Point => ({ x: x + 0.5, y: y + 0.5 });

export function Pad({ picture, brush, onDraw, onUndo }: PadProps): JSX.Element {
  const { shape, values } = picture;
  const [height, width] = shape;
  const [cursor, setCursor] = useState<Point>({ x: Math.floor(width / 2), y: Math.floor(height / 2) });
  /** Newer than the property while several events arrive before it is rendered. */
  const current = useRef(picture);
  const last = useRef<Point | null>(null);
  const area = useEnlarged(shape);
  useEffect(() => {
    current.current = picture;
  }, [picture]);

  function ink(from: Point, to: Point, isNewStroke: boolean): void {
    current.current = draw(current.current, from, to, brush);
    onDraw(current.current, isNewStroke);
  }

  function toPixels({ clientX, clientY }: PointerEvent): Point {
    const box = area.current!.getBoundingClientRect();
    return {
      x: ((clientX - box.left) / box.width) * width,
      y: ((clientY - box.top) / box.height) * height,
    };
  }

  function onPointerDown(event: PointerEvent): void {
    if (event.button !== 0 || !event.isPrimary) return;
    area.current!.setPointerCapture(event.pointerId);
    last.current = toPixels(event);
    ink(last.current, last.current, true);
  }

  function onPointerMove(event: PointerEvent): void {
    if (last.current === null || !event.isPrimary) return;
    const to = toPixels(event);
    ink(last.current, to, false);
    last.current = to;
  }

  function onKeyDown(event: KeyboardEvent): void {
    const move = MOVES[event.key];
    if (move) {
      const to = { x: clamp(cursor.x + move.x, width), y: clamp(cursor.y + move.y, height) };
      setCursor(to);
      if (event.shiftKey) ink(middleOf(cursor), middleOf(to), true);
    } else if (event.key === ' ') ink(middleOf(cursor), middleOf(cursor), true);
    else if (event.key === 'z' && (event.ctrlKey || event.metaKey)) onUndo();
    else return;
    event.preventDefault();
  }

  const endStroke = () => {
    last.current = null;
  };
  const value = Math.round(values[cursor.y * width + cursor.x]!);
  return (
    <div
      ref={area}
      class="try-picture try-pad"
      role="application"
      aria-label="Drawing pad"
      aria-describedby="try-pad-keys"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the pad is drawn on by keyboard
      tabIndex={0}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={endStroke}
      onPointerCancel={endStroke}
      onKeyDown={onKeyDown}
    >
      <PixelImage picture={picture} label={describeSize(shape)} />
      <svg viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        <rect x={cursor.x} y={cursor.y} width="1" height="1" />
      </svg>
      <span class="visually-hidden" aria-live="polite">
        Row {cursor.y + 1}, column {cursor.x + 1}: {value === 0 ? 'black' : `${value} of 255`}
      </span>
    </div>
  );
}
