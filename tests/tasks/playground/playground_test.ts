/// <reference lib="dom" />
/** deno task playground, in headless Chromium with WebGPU in software, as a user has it in a browser. */
import { assert, assertAlmostEquals, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Device } from "../../../lib/gpu/device.ts";
import { decodeModel } from "../../../lib/model_file/bytes.ts";
import { Matrix } from "../../../lib/reference/mod.ts";
import { decodeSafetensors, encodeSafetensors } from "../../../lib/safetensors/bytes.ts";
import { makeRows, prepare } from "../../../tasks/playground/datasets.ts";
import { REASONS } from "../../../tasks/playground/reasons.ts";
import { Session } from "../../../tasks/playground/session.ts";
import { DEFAULTS, type Settings, toHash } from "../../../tasks/playground/settings.ts";
import { assertClose } from "../../support/assert_close.ts";
import { type Page, withPage } from "../../support/browser.ts";
import { argumentsOf, pathInProject, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

/** Serves the page while a function runs, then ends it with Ctrl-C. */
async function serving(body: (address: string) => Promise<void>): Promise<void> {
  await using place = await Workplace.create();
  const child = place.startDeno(await argumentsOf("playground", []));
  const errors = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    const { value = "" } = await reader.read();
    const address = value.match(/^playground: (http:\/\/127\.0\.0\.1:\d+\/) \(Ctrl-C ends it\)\n$/)?.[1];
    assert(address, `says ${value} ${value === "" ? await errors : ""}`);
    await body(address);
  } finally {
    child.kill("SIGINT");
    const { code } = await child.status;
    await reader.cancel();
    assertEquals([code, await errors], [0, ""], "its end by Ctrl-C");
  }
}

/** Waits until an element's text is, or starts with, what it should. */
async function waitForText(page: Page, selector: string, text: string): Promise<void> {
  const starts = ([selector, text]: string[]) => document.querySelector(selector)!.textContent!.startsWith(text);
  await page.waitForFunction(starts, [selector, text], { timeout: 60_000 });
}

/** Shows settings in a new page. */
async function open(page: Page, address: string, settings: Settings): Promise<void> {
  await page.goto("about:blank");
  await page.goto(address + toHash(settings));
  await page.waitForSelector("#measures dd");
}

/** Runs until the page pauses by itself. */
async function run(page: Page, { epochs }: Settings): Promise<void> {
  await page.click("#run");
  await waitForText(page, "#progress", `epoch ${epochs},`);
  await page.waitForSelector('#run[aria-pressed="false"]');
}

async function measures(page: Page): Promise<number[]> {
  return await page.$$eval("#measures dd", (cells) => cells.map((cell) => Number(cell.dataset.value)));
}

/** What training in Deno gives with the same settings. */
async function trainHere(settings: Settings): Promise<number[]> {
  using device = await Device.request({ smallDispatches: true });
  const rows = makeRows(settings.dataset as "xor", settings.noise, settings.seed);
  using session = new Session(device, prepare(rows, settings.seed), settings);
  await session.train(settings.epochs);
  const { train, validation } = await session.measure();
  return [train, validation];
}

/** The file that the page gives. */
async function download(page: Page): Promise<Uint8Array<ArrayBuffer>> {
  const [file] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
  assertEquals(file.suggestedFilename(), "model.safetensors");
  return await Deno.readFile(await file.path());
}

/** Notes what a screen reader says, of itself, from now on; runs in the page. */
function listenToThePage(): void {
  const said: string[] = [];
  const observer = new MutationObserver((changes) => {
    for (const { target } of changes) {
      const place = (target instanceof Element ? target : target.parentElement!)
        .closest("[role=status], [role=alert], [role=log], output, [aria-live]");
      const text = place?.textContent?.trim();
      if (text && place!.getAttribute("aria-live") !== "off") said.push(text);
    }
  });
  observer.observe(document.body, { subtree: true, childList: true, characterData: true });
  Object.assign(globalThis, { said });
}

/** Colours that a canvas shows. */
async function colorsOf(page: Page, canvas: string): Promise<number> {
  return await page.$eval(canvas, (element) => {
    const { width, height } = element as HTMLCanvasElement;
    const { data } = (element as HTMLCanvasElement).getContext("2d")!.getImageData(0, 0, width, height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
}

permitted("the playground, served to a browser", async (t) => {
  await serving((address) =>
    withPage(async (page, seen) => {
      const steps: Record<string, (page: Page, address: string, requests: readonly string[]) => Promise<void>> = {
        "answers to its own name alone, and gives its three files": answersToItsName,
        "trains every dataset to Deno's loss, and asks for nothing elsewhere": trainsEveryDataset,
        "walks through a step by the keyboard, with the values of float64": walksThroughAStep,
        "gives a model that suits predict, continues with one, and refuses others": givesAndTakesModels,
        "trains a pasted CSV, and says what is wrong with one or with a control": trainsPastedRows,
        "mod.ts loads in a browser as a whole": loadsTheLibrary,
        "--output writes a small page that opens from disk, and helps where there is no WebGPU": opensFromDisk,
      };
      for (const [name, body] of Object.entries(steps)) {
        await t.step(name, async () => {
          await body(page, address, seen.requests);
          assertEquals(seen.errors, []);
        });
      }
    })
  );
});

async function trainsEveryDataset(page: Page, address: string, requests: readonly string[]): Promise<void> {
  const cases = [["cubic", 20, 0.02], ["xor", 20, 0.2], ["moons", 30, 0.2], ["spiral", 60, 0.35]] as const;
  for (const [dataset, epochs, bound] of cases) {
    const settings = { ...DEFAULTS[dataset], epochs };
    await open(page, address, settings);
    const [before] = await measures(page);
    await run(page, settings);
    const [train, validation] = await measures(page);
    const here = await trainHere(settings);
    assert(train < bound && before > 2 * bound, `${dataset}: ${before} became ${train}`);
    assertAlmostEquals(train, here[0], 1e-3, `training loss of ${dataset}`);
    assertAlmostEquals(validation, here[1], 1e-3, `validation loss of ${dataset}`);
    const isCurve = dataset === "cubic";
    assert(isCurve || await colorsOf(page, "#surface") > 20, `surface of ${dataset}`);
    assert(await colorsOf(page, "#net") > 100, `network of ${dataset}`);
    assertEquals([await page.isVisible("#surface"), await page.isVisible("#fit")], [!isCurve, isCurve]);
    assertEquals(await page.locator("#fit:visible .curve path").count(), isCurve ? 1 : 0);
    assertEquals(await page.locator("#fit:visible .rows circle").count(), isCurve ? 240 : 0, "every row once");
    assertEquals(await page.locator("#loss .curve path").count(), 2);
    assert(await page.locator("#heat canvas").count() >= 8);
  }
  assertEquals(requests.filter((url) => !url.startsWith(address) && url !== "about:blank"), []);
}

async function walksThroughAStep(page: Page, address: string): Promise<void> {
  const settings: Settings = { ...DEFAULTS.xor, hidden: [3], batchSize: 4, activation: "tanh" };
  await open(page, address, settings);
  const bytes = await download(page);
  using device = await Device.request({ smallDispatches: true });
  using saved = decodeModel(device, bytes);
  const model = await saved.model.reference(saved.description.loss.reference);
  const data = prepare(makeRows("xor", settings.noise, settings.seed), settings.seed);
  using session = new Session(device, data, settings); // the rows that the first step sees
  const { rows, x, y } = session.nextBatch();
  const inputs = new Matrix(rows, 2, x);
  const targets = new Matrix(rows, 1, y);
  const { loss, dX: _ } = model.backward(inputs, targets);
  const [dW1, db1, dW2, db2] = model.gradients.map(({ data }) => data);
  const gradients = { "dW₁": dW1, "db₁": db1, "dW₂": dW2, "db₂": db2 };
  const expected: Record<string, ArrayLike<number>> = { ...gradients, "L": [loss], "z₂": model.forward(inputs).data };
  const names = ["p₁", "z₁", "a₁", "p₂", "z₂", "L", "dz₂", "dW₂", "db₂", "da₁", "dz₁", "dW₁", "db₁"];
  await page.focus("#network-title, #step");
  for (const [i, name] of names.entries()) {
    await page.keyboard.press("s");
    await page.waitForSelector(`#ops tbody tr:nth-child(${i + 1})[aria-current="true"]`);
    const given = await page.textContent(`#ops tbody tr:nth-child(${i + 1}) td:nth-child(5)`);
    assertEquals(given!.split(" ")[0], name);
    const titlesOf = (cells: Element[]) => cells.map((cell) => Number(cell.getAttribute("title")));
    const shown = await page.$$eval("#detail .values td", titlesOf);
    if (name in expected) assertClose(Float64Array.from(shown), expected[name], { rtol: 1e-4, atol: 1e-6 });
    delete expected[name];
  }
  const { rule, why, file } = REASONS.addBias;
  const reason = `In general: ${rule}. ${why} This is addBias in ${file}.`;
  assertEquals(await page.textContent("#detail .why"), reason);
  assertEquals(Object.keys(expected), []);
  await page.getByRole("button", { name: "Check this gradient" }).press("Enter");
  const apart = (await page.locator("#detail .check tbody td:last-child").allTextContents()).map(Number);
  assert(apart.length === 3 && apart.every((size) => size < 1e-6), `${apart}`);
  assertMatch(await page.textContent("#progress") ?? "", /step 0$/);
  assertEquals(await page.textContent("#said"), "backward: " + await page.textContent("#detail .formula"));
  await page.click("#finish");
  await waitForText(page, "#progress", "epoch 0, step 1");
  assertEquals(await page.locator("#ops tbody tr").count(), names.length + 4);
  await page.keyboard.press("x");
  await waitForText(page, "#progress", "epoch 0, step 0");
  await page.fill("#question", "1, 1");
  await page.waitForFunction(() => document.querySelector("#answer")!.textContent !== "");
  await page.evaluate(listenToThePage);
  await page.focus("#step");
  await page.keyboard.press("r");
  await page.waitForFunction(() => Number(document.querySelector("#progress")!.textContent!.split(/[ ,]/)[1]) > 20);
  await page.keyboard.press("r");
  await page.waitForSelector('#run[aria-pressed="false"]');
  await waitForText(page, "#said", "Paused: epoch ");
  const said: string[] = await page.evaluate("globalThis.said");
  assertEquals([said[0], said.length <= 3], ["Training", true], "no flood of words");
}

async function givesAndTakesModels(page: Page, address: string): Promise<void> {
  const settings: Settings = { ...DEFAULTS.cubic, hidden: [8], epochs: 20 };
  await using place = await Workplace.create();
  await open(page, address, settings);
  await run(page, settings);
  await page.fill("#question", "50");
  await waitForText(page, "#answer", "y: ");
  const answer = await page.textContent("#answer");
  const [trained] = await measures(page);
  const bytes = await download(page);
  await place.write("data/runs/default_run/model.safetensors", bytes);
  const { stdout } = await place.succeed("predict", ["50"]);
  const [_, predicted] = stdout.trim().split("\n")[1].split(",").map(Number);
  assertAlmostEquals(predicted, Number(answer!.slice(3)), 1e-4 * Math.abs(predicted));

  await page.click("#reset");
  await waitForText(page, "#progress", "epoch 0, step 0");
  assert(Math.abs((await measures(page))[0] - trained) > 1e-3, "reset left the network as it was");
  await page.setInputFiles("#upload", place.at("data/runs/default_run/model.safetensors"));
  await page.waitForFunction(() => document.querySelector("#progress")!.textContent!.includes("is loaded"));
  assertAlmostEquals((await measures(page))[0], trained, 1e-6);
  assertEquals(await page.textContent("#answer"), answer);

  const refused = [
    ["odd.safetensors", new Uint8Array(5), "odd.safetensors: cut short"],
    [
      "table.safetensors",
      ofATable(bytes),
      'it has 4 members; it has the layers "TableEmbedding": the playground continues',
    ],
    ["cubic.safetensors", bytes, "it predicts x → y, but this dataset has x1 x2 → color"],
  ] as const;
  for (const [name, content, says] of refused) {
    await place.write(name, content);
    if (name === "cubic.safetensors") await page.selectOption("[name=dataset]", "xor");
    await page.setInputFiles("#upload", place.at(name));
    await page.waitForFunction((says) => document.querySelector("#message")!.textContent!.includes(says), says);
  }
}

/** The same model, which says that it is one of four members behind the columns of a table. */
function ofATable(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const layers = JSON.stringify([{ kind: "TableEmbedding" }, ...JSON.parse(metadata.layers)]);
  return encodeSafetensors(Object.fromEntries(tensors), { ...metadata, layers, members: "4" });
}

async function trainsPastedRows(page: Page, address: string): Promise<void> {
  const sizeOf = (width: number) => width < 3 ? "low" : width < 7 ? "middle" : "high";
  const rows = Array.from({ length: 60 }, (_, i) => [i % 10, Math.floor(i / 10), sizeOf(i % 10)]);
  await open(page, address, DEFAULTS.moons);
  await page.selectOption("[name=dataset]", "csv");
  await page.waitForSelector("#pasted:not([hidden])");
  await page.fill("#csv", "a,b\n1,2\n3\n");
  await page.click("#use");
  await page.getByText("the pasted CSV:3: this row has 1 cell").waitFor();
  await page.fill("#csv", ["width,height,size", ...rows].join("\n"));
  await page.click("#use");
  await page.getByText("classes of size over width and height").waitFor();
  assertEquals(await page.textContent("#message"), "");
  await page.fill("[name=epochs]", "60");
  await page.press("[name=epochs]", "Tab");
  await run(page, { ...DEFAULTS.csv, epochs: 60 });
  const [train, _, right] = await measures(page);
  assert(train < 0.3 && right > 0.8, `loss ${train}, ${right} right`);
  assertEquals(await page.locator("#target option").allTextContents(), ["width", "height", "size"]);

  await page.fill("[name=hidden]", "8, x");
  await page.press("[name=hidden]", "Tab");
  assertStringIncludes(await page.textContent("#message") ?? "", 'Hidden sizes is "8, x": allowed is up to 6');
  assertEquals(await page.getAttribute("[name=hidden]", "aria-invalid"), "true");
}

async function answersToItsName(_: Page, address: string): Promise<void> {
  const { port } = new URL(address);
  const ask = async (path: string, host: string, method = "GET") => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    const request = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    const said = await new Response(connection.readable).text();
    assertEquals(said.match(/^\s+at /m)?.[0], undefined, "a stack");
    // Nothing is loaded from elsewhere, and no other page may hold this one.
    assertMatch(said, /^content-security-policy: default-src 'none'; .*frame-ancestors 'none'\r$/m);
    assertMatch(said, /^x-frame-options: DENY\r$/m);
    return said.split(" ")[1];
  };
  const own = `127.0.0.1:${port}`;
  for (const path of ["/", "/playground.js", "/playground.css"]) assertEquals(await ask(path, own), "200", path);
  assertEquals(await ask("/../deno.json", own), "404");
  assertEquals(await ask("/", own, "POST"), "405");
  for (const name of [`rebound.example:${port}`, "127.0.0.1", `127.0.0.1:${port}x`, "[", "a b", "%", ""]) {
    assertEquals(await ask("/", name), "421", name);
  }
  for (const path of ["//", "http://[", "/%"]) assertMatch(await ask(path, own), /^40[04]$/, path);
  await using place = await Workplace.create();
  const taken = await place.runDeno([...await argumentsOf("playground", []), `--port=${port}`]);
  const why = `error: --port is ${port}: another program uses this port; a start without --port takes a free one\n`;
  assertEquals([taken.code, taken.stderr], [2, `${why}deno task playground --help lists what is allowed\n`]);
}

async function loadsTheLibrary(page: Page): Promise<void> {
  await using place = await Workplace.create();
  const [face, buffer] = ["mod.ts", "tasks/playground/buffer.ts"].map((name) => `file://${pathInProject(name)}`);
  const entry = `import "${buffer}"; import * as face from "${face}"; globalThis.names = Object.keys(face);`;
  await place.write("entry.ts", entry);
  const options = ["--config", pathInProject("deno.json"), "--no-lock", "--platform", "browser", "--format", "iife"];
  const { code, stdout, stderr } = await place.runDeno(["bundle", ...options, "entry.ts"]);
  assertEquals(code, 0, stderr);
  await page.goto("about:blank");
  await page.addScriptTag({ content: stdout });
  const names: string[] = await page.evaluate("globalThis.names");
  assertEquals(names.toSorted(), Object.keys(await import("../../../mod.ts")).toSorted());
}

async function opensFromDisk(page: Page): Promise<void> {
  await using place = await Workplace.create();
  const { code, stdout } = await place.runDeno([...await argumentsOf("playground", []), "--output", "out"]);
  assertEquals(code, 0);
  assertMatch(stdout, /^wrote out: index\.html, playground\.css, playground\.js, \d+ bytes\n$/);
  const names = ["index.html", "playground.css", "playground.js"];
  const files = await Promise.all(names.map((name) => place.read(`out/${name}`)));
  const bytes = files.reduce((sum, text) => sum + new TextEncoder().encode(text).length, 0);
  assert(bytes < 400_000, `${bytes} bytes`);
  assertEquals(files[2].match(/^\s*\/\/.*|"node:\w+"/m)?.[0], undefined, "a comment of a kernel, or a module of Node");
  const url = `file://${place.at("out/index.html")}`;
  await page.goto(url);
  await page.waitForSelector("#measures dd");
  const panels = await page.locator("#about h3:visible").allTextContents();
  assertEquals(panels, ["The data", "The network", "The output", "One step", "Try it"]);
  await withPage(async (page, { errors }) => {
    const isTold = async (why: RegExp) => {
      await page.goto(url);
      await page.waitForFunction(() => !/^(Asking|The page's)/.test(document.querySelector("#why")!.textContent!));
      assertMatch(await page.textContent("#why") ?? "", why);
      const said = await page.innerText("#unsupported");
      for (const word of ["Chrome and Edge", "Firefox", "Safari", "Linux"]) assertStringIncludes(said, word);
      assertEquals([await page.isVisible("#app"), errors], [false, []]);
    };
    await isTold(/found no adapter|navigator\.gpu is missing/); // as this Chromium has it
    await page.addInitScript(() => Object.defineProperty(navigator, "gpu", { value: undefined }));
    await isTold(/navigator\.gpu is missing/);
  }, { webgpu: false });
}
