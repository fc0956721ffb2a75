/// <reference lib="dom" />
/** Heat maps: numbers as colours. Orange is negative, blue is positive. */

export type Color = readonly [number, number, number];

/** The page's colours in the current theme, light or dark. */
export interface Palette {
  readonly paper: Color;
  readonly ink: Color;
  readonly soft: Color;
  readonly grid: Color;
  readonly negative: Color;
  readonly positive: Color;
  readonly series: readonly Color[];
}

export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })!;
  const color = (name: string): Color => {
    // The browser resolves any notation of a colour.
    pen.fillStyle = style.getPropertyValue(name).trim();
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b];
  };
  return {
    paper: color("--paper"),
    ink: color("--ink"),
    soft: color("--soft"),
    grid: color("--grid"),
    negative: color("--series-2"),
    positive: color("--series-1"),
    series: Array.from({ length: 8 }, (_, i) => color(`--series-${i + 1}`)),
  };
}

/** A colour between two; a share of 0 is the first. */
export function mixed(from: Color, to: Color, share: number): Color {
  const part = Math.max(0, Math.min(1, share));
  return [0, 1, 2].map((i) => Math.round(from[i] + (to[i] - from[i]) * part)) as unknown as Color;
}

/** The colour of a number; from `scale` on it is the full colour. */
export function heatOf(value: number, scale: number, { negative, paper, positive }: Palette): Color {
  return mixed(paper, value < 0 ? negative : positive, Math.abs(value) / (scale || 1));
}

export function css([r, g, b]: Color, alpha = 1): string {
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}

export function sizeOfLargest(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  return largest;
}

/** An image of a matrix, one pixel per number. */
export function imageOf(
  rows: number,
  columns: number,
  colorAt: (row: number, column: number) => Color,
): OffscreenCanvas {
  const canvas = new OffscreenCanvas(columns, rows);
  const image = new ImageData(columns, rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      image.data.set([...colorAt(row, column), 255], 4 * (row * columns + column));
    }
  }
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  return canvas;
}

/** Empties a canvas, gives it the size of the style sheet, and returns its pen in CSS pixels. */
export function penOf(canvas: HTMLCanvasElement): { pen: CanvasRenderingContext2D; width: number; height: number } {
  const ratio = devicePixelRatio;
  const { clientWidth: width, clientHeight: height } = canvas;
  const w = Math.round(width * ratio);
  const h = Math.round(height * ratio);
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const pen = canvas.getContext("2d")!;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}
