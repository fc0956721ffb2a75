/**
 * Which requests the server of a page answers. It listens on loopback only, but every web page in the user's browser can send
 * requests there. So a request must name this server as host (which prevents DNS rebinding), come from its own page, and carry
 * the token that only the terminal shows.
 */

/** A request, as far as a page needs it; bodies are not read. */
export interface PageRequest {
  readonly method: string;
  readonly headers: Headers;
  readonly path: string;
  readonly search: URLSearchParams;
}

/** Of every answer. A page may load nothing from elsewhere, and may stand in no other page. */
export const HEADERS: Readonly<Record<string, string>> = {
  // Plot sets styles on its elements and adds a style element.
  "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** The header of the token; a page of another origin would have to ask before it sets it, and is refused. */
const TOKEN_HEADER = "x-backhand-token";

export interface Refusal {
  readonly status: 403 | 405;
  readonly text: string;
}

export function randomToken(): string {
  return crypto.getRandomValues(new Uint8Array(16)).toHex();
}

/** Why a request is refused, if it is. */
export function refusalOf(
  { method, headers, path, search }: PageRequest,
  host: string,
  token: string,
  open: readonly string[],
): Refusal | undefined {
  const origin = headers.get("origin");
  if (method !== "GET" && method !== "POST") return { status: 405, text: `${method} is not allowed` };
  if (headers.get("host") !== host) return { status: 403, text: `this server only answers as http://${host}/` };
  if (origin === null ? method === "POST" : origin !== `http://${host}`) {
    return { status: 403, text: "only this server's own page may send requests" };
  }
  // Browsers send this even without an origin. Other sites may only link to the page.
  const site = headers.get("sec-fetch-site") ?? "none";
  const isVisit = path === "/" && headers.get("sec-fetch-mode") === "navigate";
  if (!["same-origin", "none"].includes(site) && !isVisit) {
    return { status: 403, text: "only this server's own page may send requests" };
  }
  if (method === "GET" && open.includes(path)) return undefined;
  const given = method === "POST" ? headers.get(TOKEN_HEADER) : search.get("token");
  return given === token
    ? undefined
    : { status: 403, text: "the token is missing or wrong: use the address that the training printed" };
}
