/**
 * What charts are drawn in where there is no browser: elements of SVG with attributes and children, as much of the DOM as
 * `frame.ts` and Plot use. A whole DOM takes longer to load than a report takes to make.
 */

const SVG = "http://www.w3.org/2000/svg";

class SvgText {
  readonly nodeType = 3;
  readonly textContent: string;
  parentNode: SvgElement | null = null;

  constructor(text: string) {
    this.textContent = text;
  }
}

class SvgElement {
  readonly nodeType = 1;
  readonly namespaceURI = SVG;
  readonly localName: string;
  readonly ownerDocument: SvgDocument;
  readonly childNodes: (SvgElement | SvgText)[] = [];
  parentNode: SvgElement | null = null;
  readonly #attributes = new Map<string, string>();

  constructor(name: string, document: SvgDocument) {
    this.localName = name;
    this.ownerDocument = document;
  }

  get textContent(): string {
    return this.childNodes.map((node) => node.textContent).join("");
  }

  set textContent(text: string) {
    this.childNodes.length = 0;
    this.append(text);
  }

  append(...nodes: (SvgElement | string)[]): void {
    for (const node of nodes) this.appendChild(typeof node === "string" ? new SvgText(node) : node);
  }

  appendChild<T extends SvgElement | SvgText>(node: T): T {
    return this.insertBefore(node, null);
  }

  insertBefore<T extends SvgElement | SvgText>(node: T, next: SvgElement | SvgText | null): T {
    const siblings = node.parentNode?.childNodes;
    siblings?.splice(siblings.indexOf(node), 1);
    this.childNodes.splice(next ? this.childNodes.indexOf(next) : this.childNodes.length, 0, node);
    node.parentNode = this;
    return node;
  }

  setAttribute(name: string, value: unknown): void {
    this.#attributes.set(name, `${value}`);
  }

  getAttribute(name: string): string | null {
    return this.#attributes.get(name) ?? null;
  }

  removeAttribute(name: string): void {
    this.#attributes.delete(name);
  }

  getAttributeNames(): string[] {
    return [...this.#attributes.keys()];
  }
}

class SvgDocument {
  readonly documentElement = new SvgElement("svg", this);

  createElementNS(_namespace: string, name: string): SvgElement {
    return new SvgElement(name, this);
  }
}

/** A document for charts, and for nothing else. */
export function svgDocument(): Document {
  return new SvgDocument() as unknown as Document;
}
