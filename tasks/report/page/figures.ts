/// <reference lib="dom" />
/** Sections of a report, their charts in the page, and charts as files of their own. */

import { escaped, Html, html } from "../../charts/html.ts";

/** A chart with its caption and numbers. */
export interface Figure {
  /** The name of the chart's own file. */
  readonly slug: string;
  readonly title: string;
  readonly svg: SVGSVGElement;
  readonly caption?: Html | string;
  readonly table?: Html;
  /** It takes a whole line, even among small ones. */
  readonly isWide?: boolean;
}

/** A part of the page with a heading. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly lead?: Html | string;
  readonly figures: readonly Figure[];
  readonly tables?: readonly Html[];
  /** Small figures stand side by side. */
  readonly layout?: "small" | "pairs";
}

/** Attributes whose numbers have more digits than pixels. */
const PLACES = new Set("d x y x1 x2 y1 y2 cx cy r width height transform".split(" "));

/**
 * An SVG element as text for HTML and XML, its coordinates rounded to a tenth of a pixel. The style element that Plot gives
 * each chart is left out: style.css holds for all.
 */
export function svgText(node: Node): string {
  if (node.nodeType !== 1) return escaped(node.textContent ?? "");
  const { localName, childNodes } = node as Element;
  if (localName === "style") return "";
  // By name: linkedom's `attributes` is a proxy, which takes most of the time of a chart of many dots.
  const shown = (node as Element).getAttributeNames().map((name) => {
    const { value } = (node as Element).getAttributeNode(name)!;
    const short = PLACES.has(name) ? value.replaceAll(/(\.\d)\d+/g, "$1").replaceAll(/\.0\b/g, "") : value;
    return ` ${name}="${escaped(short)}"`;
  });
  const inside = [...childNodes].map(svgText).join("");
  return `<${localName}${shown.join("")}${inside === "" ? "/>" : `>${inside}</${localName}>`}`;
}

/** A figure in a page, its numbers below it. */
export function figure({ title, svg, caption, table, isWide }: Figure): Html {
  return html`
    <figure${isWide && new Html(' class="whole"')}>
    ${new Html(svgText(svg))}
    <figcaption><strong>${title}</strong>${caption && [". ", caption]}</figcaption>
    ${table && html`<details><summary>${title}: the numbers</summary>${table}</details>`}
    </figure>
  `;
}

/** The colours of a style sheet's first :root, by name. */
export function colorsOf(css: string): Map<string, string> {
  const root = css.match(/:root\s*\{([^}]*)\}/)?.[1] ?? "";
  return new Map([...root.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map(([_, name, value]) => [name, value.trim()]));
}

/** A chart as a file of its own, for a paper or a README: light, with its colours and fonts in it. */
export function svgFile({ title, svg }: Figure, css: string): string {
  const colors = colorsOf(css);
  const label = svg.getAttribute("aria-label") ?? title;
  const [width, height] = ["width", "height"].map((name) => svg.getAttribute(name));
  const resolve = (text: string): string =>
    text.replaceAll(/var\((--[\w-]+)\)/g, (_, name) => resolve(colors.get(name) ?? "currentColor"));
  const words = html`
    <title>${title}</title>
    <desc>${label}</desc>
    <rect width="${width ?? ""}" height="${height ?? ""}" fill="${colors.get("--paper")}" />
  `;
  const text = resolve(svgText(svg)).replace('font-family="inherit"', 'font-family="system-ui, sans-serif"');
  const root = ` xmlns="http://www.w3.org/2000/svg" color="${colors.get("--ink")}"`;
  return text.replace(/^<svg([^>]*)>/, (_, rest) => `<svg${root}${rest}>${words.text}`) + "\n";
}
