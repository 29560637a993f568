/** The drawing pad: 28×28 pixels, by pointer or by keyboard. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { PixelImage } from '../../components/image28.tsx';
import { type Brush, draw, type Pixels, type Point, SIDE } from './pixels.ts';

export interface PadProps {
  readonly pixels: Pixels;
  readonly brush: Brush;
  /** @param isNewStroke false while a stroke continues, so one undo removes all of it */
  readonly onDraw: (pixels: Pixels, isNewStroke: boolean) => void;
  readonly onUndo: () => void;
}

const MOVES: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};
const clamp = (value: number) => Math.max(0, Math.min(SIDE - 1, value));
const middleOf = ({ x, y }: Point): Point => ({ x: x + 0.5, y: y + 0.5 });

export function Pad({ pixels, brush, onDraw, onUndo }: PadProps): JSX.Element {
  const [cursor, setCursor] = useState<Point>({ x: 14, y: 14 });
  /** Newer than the property while several events arrive before it is rendered. */
  const current = useRef(pixels);
  const last = useRef<Point | null>(null);
  const area = useRef<HTMLDivElement>(null);
  useEffect(() => {
    current.current = pixels;
  }, [pixels]);

  function ink(from: Point, to: Point, isNewStroke: boolean): void {
    current.current = draw(current.current, from, to, brush);
    onDraw(current.current, isNewStroke);
  }

  function toPixels({ clientX, clientY }: PointerEvent): Point {
    const box = area.current!.getBoundingClientRect();
    return {
      x: ((clientX - box.left) / box.width) * SIDE,
      y: ((clientY - box.top) / box.height) * SIDE,
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
      const to = { x: clamp(cursor.x + move.x), y: clamp(cursor.y + move.y) };
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
  const value = Math.round(pixels[cursor.y * SIDE + cursor.x]!);
  return (
    <div
      ref={area}
      class="try-pad"
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
      <PixelImage pixels={pixels.map((each) => each / 255)} label="Image of 28 by 28 pixels" />
      <svg viewBox={`0 0 ${SIDE} ${SIDE}`} aria-hidden="true">
        <rect x={cursor.x} y={cursor.y} width="1" height="1" />
      </svg>
      <span class="visually-hidden" aria-live="polite">
        Row {cursor.y + 1}, column {cursor.x + 1}: {value === 0 ? 'black' : `${value} of 255`}
      </span>
    </div>
  );
}
