/** The pictures of README.md, from real runs. */

// deno-lint-ignore no-import-prefix -- in deno.json or deno.lock every task would download it
import UPNG from "npm:upng-js@2.1.0";
import { type Page, withPage } from "../setup/browser.ts";
import { ensureChromium } from "../setup/chromium.ts";
import { describeError } from "../settings/run_task.ts";
import { inTerminal } from "./terminal.ts";
import { TerminalScreen } from "./terminal_picture.ts";

const root = new URL("../../", import.meta.url);
const folder = new URL("./", import.meta.url);

/** Bytes of a picture at most. */
const MAX_BYTES = 150_000;

/** The run that is shown: long enough that there is something to see. */
const RUN = ["--num-epochs=60"];

/** Makes a picture, working in an empty folder. */
type Maker = (at: string) => Promise<Uint8Array | string>;

/** How each picture is made, by its file. */
const PICTURES: Record<string, Maker> = {
  "terminal.svg": paintTerminal,
  "report.png": paintReport,
  "live.png": paintLive,
  "playground.png": paintPlayground,
};

/** A task's command in another folder than the project's. */
function commandOf(task: string, args: readonly string[]): string[] {
  const path = (name: string) => decodeURIComponent(new URL(name, root).pathname);
  return [
    Deno.execPath(),
    "run",
    "--quiet",
    "--allow-all",
    "--config",
    path("deno.json"),
    path(`tasks/${task}.ts`),
    ...args,
  ];
}

/** Shows the screen when most of the run is done. */
async function paintTerminal(at: string): Promise<string> {
  const size = { columns: 80, rows: 24 };
const screen = new TerminalScreen(size);
  const { program, args, env } = inTerminal(commandOf("train", RUN), size);
  await using child = await start([program, ...args], at, env);
  let picture: string | undefined;
  for await (const text of child.texts()) {
    await screen.write(text);
    if (!picture && /█.*\b[89]\d%.*steps/.test(screen.text)) {
      picture = screen.toSvg("Training in a terminal: progress, losses and their curves");
    }
  }
  if (picture) return picture;
  throw new Error(`the terminal never showed a run that is nearly done:\n${screen.text}`);
}

async function paintReport(at: string): Promise<Uint8Array> {
  for (const command of [commandOf("train", RUN), commandOf("report", ["default_run"])]) {
    await using child = await start(command, at);
    await child.end();
  }
  return await withPage(async (page) => {
    await page.goto(`file://${at}/data/runs/default_run/report.html`);
    return await shoot(page);
  }, { width: 960, height: 1200 });
}

/** Shows the page when most of the run is done. */
async function paintLive(at: string): Promise<Uint8Array> {
  await using child = await start(commandOf("train", [...RUN, "--live"]), at);
  const url = await child.hear(/^live: (http:\S+)/m);
  return await withPage(async (page) => {
    await page.goto(url);
    await until(async () => Number(await page.getAttribute("#progress", "value")) > 0.7);
    return await shoot(page);
  }, { width: 960, height: 900 });
}

/** Shows a spiral that is learned. */
async function paintPlayground(at: string): Promise<Uint8Array> {
  await using child = await start(commandOf("playground", []), at);
  const url = await child.hear(/(http:\/\/127\.0\.0\.1\S+)/);
  return await withPage(async (page) => {
    await page.goto(url);
    await page.selectOption("select[name=dataset]", "spiral");
    await page.click("#run");
    await until(async () => await page.getAttribute("#run", "aria-pressed") === "false");
    return await shoot(page);
  }, { width: 1200, height: 800 });
}

/** Waits for what a page shows, three minutes at most. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 180_000;
  while (!await isSo()) {
    if (performance.now() > end) throw new Error(`in three minutes never ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** What the page shows, in as many colours as a palette has: charts need no more, and take a third of the bytes. */
async function shoot(page: Page): Promise<Uint8Array> {
  const { buffer } = Uint8Array.from(await page.screenshot({ animations: "disabled" }));
  const image = UPNG.decode(buffer);
  return new Uint8Array(UPNG.encode(UPNG.toRGBA8(image), image.width, image.height, 256));
}

/** A program that is ended when it is disposed of. */
interface Running extends AsyncDisposable {
  /** What it says, as it comes. */
  texts(): AsyncGenerator<string>;
  /** Waits until it says something, and reads on behind that; gives the first group. */
  hear(pattern: RegExp): Promise<string>;
  /** Waits until it has ended well. */
  end(): Promise<void>;
}

async function start([program, ...args]: string[], cwd: string, env: Record<string, string> = {}): Promise<Running> {
  const child = new Deno.Command(program, { args, cwd, env, stdin: "null", stdout: "piped", stderr: "inherit" })
    .spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  async function* texts() {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) yield piece.value;
  }
  return await Promise.resolve({
    texts,
    async hear(pattern: RegExp) {
      let said = "";
      for await (const text of texts()) {
        said += text;
        const found = said.match(pattern);
        if (!found) continue;
        (async () => {
          for await (const _ of texts());
        })();
        return found[1];
      }
      throw new Error(`${program} never said ${pattern.source}: ${said.slice(-1_000)}`);
    },
    async end() {
      for await (const _ of texts());
      const { code } = await child.status;
      if (code !== 0) throw new Error(`${args.at(-1)} ended with ${code}`);
    },
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended.
      }
      await child.status;
    },
  });
}

async function paint(name: string): Promise<boolean> {
  console.error(`${name}: under way`);
  const at = await Deno.makeTempDir({ prefix: "backhand_pictures_" });
  try {
    const picture = await PICTURES[name](at);
const bytes = typeof picture === "string" ? encode(picture) : picture;
    if (bytes.length > MAX_BYTES) throw new Error(`it has ${bytes.length} bytes, ${MAX_BYTES} are allowed`);
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeFile(new URL(name, folder), bytes);
    console.log(`tasks/pictures/${name}: ${bytes.length} bytes`);
    return true;
  } catch (error) {
    console.error(`${name}: ${describeError("pictures", error)}`);
    return false;
  } finally {
    await Deno.remove(at, { recursive: true });
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export async function main(args: readonly string[]): Promise<number> {
  const names = Object.keys(PICTURES);
const short = (name: string) => name.split(".")[0];
  if (args.includes("--help") || args.includes("-h")) {
    console.log(
      `Usage: deno task pictures [${
        names.map(short).join("|")
      } ...]\n\nMakes the pictures of README.md from real runs.`,
    );
    return 0;
  }
  const unknown = args.filter((arg) => !names.some((name) => short(name) === arg));
  for (const arg of unknown) console.error(`error: ${arg}: there are ${names.map(short).join(", ")}`);
  if (unknown.length > 0) return 2;
  if (!await ensureChromium()) return 1;
  let failed = 0;
  for (const name of names.filter((name) => args.length === 0 || args.includes(short(name)))) {
    if (!await paint(name)) failed++;
  }
  return failed > 0 ? 1 : 0;
}
