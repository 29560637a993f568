/**
 * Replaces d3-shape in the bundle: lines and areas of straight segments, with the same path data. The package cannot be
 * bundled without its curves and symbols, 4 KB compressed.
 */

interface Path {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  closePath(): void;
}

type Points = readonly (readonly [x: number, y: number])[];
type Accessor<Datum, Value> = (datum: Datum, index: number) => Value;

export interface Shape<Datum> {
  (data: readonly Datum[]): void;
  /** Points that are not defined are gaps. */
  defined(isDefined: Accessor<Datum, boolean>): Shape<Datum>;
  x(x: Accessor<Datum, number>): Shape<Datum>;
  y(y: Accessor<Datum, number>): Shape<Datum>;
  /** The other side of an area. */
  y0(y0: number): Shape<Datum>;
  y1(y: Accessor<Datum, number>): Shape<Datum>;
  context(path: Path): Shape<Datum>;
}

/** A point alone is closed, so that it can be drawn. */
export const line = <Datum>() =>
  createShape<Datum>((path, points) => {
    segments(path, points);
    if (points.length === 1) path.closePath();
  });

export const area = <Datum>() =>
  createShape<Datum>((path, points, y0) => {
    segments(path, points);
    for (const [x] of points.toReversed()) path.lineTo(x, y0);
    path.closePath();
  });

function segments(path: Path, points: Points): void {
  for (const [i, [x, y]] of points.entries()) {
    if (i === 0) path.moveTo(x, y);
    else path.lineTo(x, y);
  }
}

/** @param draw called for each run of points without a gap */
function createShape<Datum>(draw: (path: Path, points: Points, y0: number) => void): Shape<Datum> {
  let isDefined: Accessor<Datum, boolean> = () => true;
  let toX: Accessor<Datum, number> = () => 0;
  let toY = toX;
  let base = 0;
  let path: Path;
  function drawAll(data: readonly Datum[]): void {
    let points: (readonly [number, number])[] = [];
    const end = () => {
      if (points.length > 0) draw(path, points, base);
      points = [];
    };
    for (const [i, datum] of data.entries()) {
      if (isDefined(datum, i)) points.push([toX(datum, i), toY(datum, i)]);
      else end();
    }
    end();
  }
  const setY: Shape<Datum>['y'] = (y) => {
    toY = y;
    return shape;
  };
  const shape: Shape<Datum> = Object.assign(drawAll, {
    defined(accessor: Accessor<Datum, boolean>) {
      isDefined = accessor;
      return shape;
    },
    x(x: Accessor<Datum, number>) {
      toX = x;
      return shape;
    },
    y: setY,
    y1: setY,
    y0(y0: number) {
      base = y0;
      return shape;
    },
    context(context: Path) {
      path = context;
      return shape;
    },
  });
  return shape;
}
