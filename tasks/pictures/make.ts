/** The pictures of README.md, from real runs. */

// deno-lint-ignore no-import-prefix -- in deno.json or deno.lock every task would download it
import UPNG from "npm:upng-js@2.1.0";
import { type Page, withPage } from "../setup/browser.ts";
import { ensureChromium } from "../setup/chromium.ts";
import { runToEnd, type Start } from "../bench/processes.ts";
import { describeError } from "../settings/run_task.ts";
import { TerminalScreen } from "./terminal_picture.ts";

const folder = new URL("./", import.meta.url);
const MAX_BYTES = 150_000;

/** The run that is shown: long enough to see something. */
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

/** A task in another folder than the project's. */
function taskIn(cwd: string, task: string, args: readonly string[]): Start {
  return { script: `tasks/${task}.ts`, args, flags: ["--allow-all"], cwd };
}

/** The screen when most of the run is done. */
async function paintTerminal(at: string): Promise<string> {
  const terminal = { columns: 80, rows: 24 };
  const screen = new TerminalScreen(terminal);
  let picture: string | undefined;
  await runToEnd({ ...taskIn(at, "train", RUN), terminal }, undefined, async (text) => {
    await screen.write(text);
    if (!picture && /█.*\b[89]\d%.*steps/.test(screen.text)) {
      picture = screen.toSvg("Training in a terminal: progress, losses and their curves");
    }
  });
  if (picture) return picture;
  throw new Error(`the terminal never showed a run that is nearly done:\n${screen.text}`);
}

async function paintReport(at: string): Promise<Uint8Array> {
  await runToEnd(taskIn(at, "train", RUN));
  await runToEnd(taskIn(at, "report", ["default_run"]));
  return await withPage(async (page) => {
    await page.goto(`file://${at}/data/runs/default_run/report.html`);
    return await shoot(page);
  }, { width: 960, height: 1200 });
}

/** The page when most of the run is done. */
async function paintLive(at: string): Promise<Uint8Array> {
  return await withServer(
    taskIn(at, "train", [...RUN, "--live"]),
    /^live: (http:\S+)/m,
    { width: 960, height: 900 },
    async (page) => {
      await until(async () => Number(await page.getAttribute("#progress", "value")) > 0.7);
    },
  );
}

/** A spiral that is learned. */
async function paintPlayground(at: string): Promise<Uint8Array> {
  return await withServer(
    taskIn(at, "playground", []),
    /(http:\/\/127\.0\.0\.1\S+)/,
    { width: 1200, height: 800 },
    async (page) => {
      await page.selectOption("select[name=dataset]", "spiral");
      await page.click("#run");
      await until(async () => await page.getAttribute("#run", "aria-pressed") === "false");
    },
  );
}

/** Starts a task that serves a page, opens the address that it prints, and takes a picture of it. */
async function withServer(
  start: Start,
  on: RegExp,
  size: { width: number; height: number },
  use: (page: Page) => Promise<void>,
): Promise<Uint8Array> {
  let picture: Uint8Array = new Uint8Array();
  const by = ([_, url]: RegExpMatchArray) =>
    withPage(async (page) => {
      await page.goto(url);
      await use(page);
      picture = await shoot(page);
    }, size);
  await runToEnd(start, { on, by, ends: true });
  return picture;
}

/** Waits until a page shows something, for three minutes at most. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 180_000;
  while (!await isSo()) {
    if (performance.now() > end) throw new Error(`not within three minutes: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** A screenshot in 256 colours: charts need no more, and a third of the bytes is enough. */
async function shoot(page: Page): Promise<Uint8Array> {
  const { buffer } = Uint8Array.from(await page.screenshot({ animations: "disabled" }));
  const image = UPNG.decode(buffer);
  return new Uint8Array(UPNG.encode(UPNG.toRGBA8(image), image.width, image.height, 256));
}

async function paint(name: string): Promise<boolean> {
  console.error(`${name}: in progress`);
  const at = await Deno.makeTempDir({ prefix: "backhand_pictures_" });
  try {
    const picture = await PICTURES[name](at);
    const bytes = typeof picture === "string" ? new TextEncoder().encode(picture) : picture;
    if (bytes.length > MAX_BYTES) throw new Error(`it has ${bytes.length} bytes, at most ${MAX_BYTES} are allowed`);
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
  for (const arg of unknown) {
    console.error(`error: there is no picture ${arg}: there are ${names.map(short).join(", ")}`);
  }
  if (unknown.length > 0) return 2;
  if (!await ensureChromium()) return 1;
  let failed = 0;
  for (const name of names.filter((name) => args.length === 0 || args.includes(short(name)))) {
    if (!await paint(name)) failed++;
  }
  return failed > 0 ? 1 : 0;
}
