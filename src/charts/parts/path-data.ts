/** Path data with coordinates relative to the last point, rounded to 0.1 px: half as long as absolute ones. */

export interface PathData {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  closePath(): void;
  /** The attribute `d`. */
  toString(): string;
}

/** Also serves as a context of d3-shape's lines and areas. */
export function createPathData(): PathData {
  let data = '';
  // In tenths of a pixel, so rounding errors do not add up.
  let [x, y, startX, startY] = [0, 0, 0, 0];
  return {
    moveTo(toX, toY) {
      [x, y] = [Math.round(toX * 10), Math.round(toY * 10)];
      [startX, startY] = [x, y];
      data += `M${number(x)}${separated(y)}`;
    },
    lineTo(toX, toY) {
      const [dx, dy] = [Math.round(toX * 10) - x, Math.round(toY * 10) - y];
      [x, y] = [x + dx, y + dy];
      if (dy === 0) data += `h${number(dx)}`;
      else if (dx === 0) data += `v${number(dy)}`;
      else data += `l${number(dx)}${separated(dy)}`;
    },
    closePath() {
      [x, y] = [startX, startY];
      data += 'Z';
    },
    toString: () => data,
  };
}

/** The shortest text of a number of tenths: `-.3`, `12`, `1.5`. */
function number(tenths: number): string {
  const [whole, digit] = [Math.trunc(tenths / 10), Math.abs(tenths % 10)];
  if (digit === 0) return `${whole}`;
  const before = whole !== 0 ? whole : tenths < 0 ? '-' : '';
  return `${before}.${digit}`;
}

/** A second coordinate; a minus sign separates it already. */
function separated(tenths: number): string {
  return tenths < 0 ? number(tenths) : ` ${number(tenths)}`;
}
