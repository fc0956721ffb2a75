/**
 * Who may talk to the live page's server. It listens on loopback alone, but every web page that the user has open can make
 * his browser send requests there; so those must name this server as host (a name that was bound anew to 127.0.0.1 does
 * not), come from its own page, and carry the token that only the terminal shows.
 */

/** What every answer says to the browser. */
export const HEADERS: Readonly<Record<string, string>> = {
  // Plot sets styles on what it draws and puts a style element beside it.
  "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** The header that carries the token; no page of another origin may set it without asking, and that is refused. */
export const TOKEN_HEADER = "x-backhand-token";

/** Why a request is refused. */
export interface Refusal {
  readonly status: 403 | 405;
  readonly text: string;
}

/** The paths of a server, by method. */
export type Paths = Readonly<Record<"GET" | "POST", readonly string[]>>;

/** A random text that nobody guesses. */
export function randomToken(): string {
  return crypto.getRandomValues(new Uint8Array(16)).toHex();
}

/** Looks a request over. */
export function refusalOf(
  { method, headers, url }: Pick<Request, "method" | "headers" | "url">,
  host: string,
  token: string,
  open: readonly string[],
): Refusal | undefined {
  const { pathname, searchParams } = new URL(url);
  const origin = headers.get("origin");
  if (method !== "GET" && method !== "POST") return { status: 405, text: `${method} is not answered here` };
  if (headers.get("host") !== host) return { status: 403, text: `only http://${host}/ is answered here` };
  if (origin === null ? method === "POST" : origin !== `http://${host}`) {
    return { status: 403, text: "only this server's own page may ask" };
  }
  // Browsers say so also where they send no origin; following a link to the page is all that others may do.
  const site = headers.get("sec-fetch-site") ?? "none";
  const isVisit = pathname === "/" && headers.get("sec-fetch-mode") === "navigate";
  if (!["same-origin", "none"].includes(site) && !isVisit) {
    return { status: 403, text: "only this server's own page may ask" };
  }
  if (method === "GET" && open.includes(pathname)) return undefined;
  const given = method === "POST" ? headers.get(TOKEN_HEADER) : searchParams.get("token");
  return given === token ? undefined : { status: 403, text: "the token is missing or wrong: use the printed address" };
}
