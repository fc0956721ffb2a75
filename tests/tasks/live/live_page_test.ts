/** The live page in Chromium, while a run trains. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { bundle, LIVE_PAGE } from "../../../tasks/setup/bundle.ts";
import { type Page, withPage } from "../../support/browser.ts";
import { type Listener, startLive } from "./live_client.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

/** Waits until the page is as it should be: its policy forbids Playwright's own way to ask that in its scripts. */
async function until(isIt: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 15_000; !await isIt();) {
    assert(performance.now() < end, `waited for ${isIt}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

permitted("the live page's script is what bundle() makes of its source", async () => {
  const isCurrent = await bundle(LIVE_PAGE.script) === await Deno.readTextFile(LIVE_PAGE.bundle);
  assert(isCurrent, "tasks/live/page.bundle.js is out of date: tasks/setup/bundle.ts says how to make it");
});

/** Headless pages are never hidden, and this one's policy lets no test run a script in it: F9 hides it and shows it. */
const HIDING = `
let isHidden = false;
Object.defineProperty(document, "hidden", { get: () => isHidden });
addEventListener("keydown", ({ key }) => {
  if (key !== "F9") return;
  isHidden = !isHidden;
  document.dispatchEvent(new Event("visibilitychange"));
});`;

permitted("the live page, next to a run that trains", async (t) => {
  await using place = await Workplace.create();
  const args = ["--num-dataset", "10000", "--num-epochs", "100000", "--run-name", "r"];
  const { url, listener, done } = await startLive(place, args);
  // Held while pages open: only what is seen of it needs its work.
  await listener.ask("/pause");
  await withPage(async (page, { errors, requests }) => {
    await page.context().addInitScript(HIDING);
    await page.goto(url);
    await until(async () => await page.textContent("#phase") === "paused");
    await t.step("draws it, and pauses and slows it by keyboard", () => obeysKeys(page, place, listener));
    await t.step("listens while it is seen, and says when nothing answers", () => listensWhileSeen(page, listener));
    await t.step("stops it by keyboard while it is paused, without an error, and asks nobody else", async () => {
      await page.focus("#stop");
      await page.keyboard.press("Enter");
      await until(async () => await page.textContent("#phase") === "over");
      assertEquals(await page.isDisabled("#factor"), true);
      assertEquals(errors, []);
      const hidden = requests.filter((asked) => asked.endsWith("/here"));
      assert(hidden.length > 0, "a page that is hidden does not say that it is there: a pause would end");
      assertEquals(requests.filter((asked) => !asked.startsWith(new URL("/", url).href)), []);
    });
  });
  assertEquals((await done).code, 0);
});

async function obeysKeys(page: Page, place: Workplace, listener: Listener): Promise<void> {
  const points = (id: string) => page.locator(`${id} .curve-points circle`).count();
  await listener.ask("/resume");
  // Epochs before the pause may have drawn points already.
  await until(async () => await page.textContent("#phase") === "training" && await points("#loss") >= 4);
  assertEquals(await page.getAttribute("#rate", "aria-live"), "off", "a schedule changes it with every step");
  assertEquals(await page.getAttribute("#messages", "tabindex"), "0", "it scrolls by keyboard");
  assertMatch(await page.title(), /^r: 0%$/);

  await page.focus("#pause");
  await page.keyboard.press("Enter");
  await until(async () => await page.textContent("#phase") === "paused");
  const lines = await place.readLines("data/runs/r/metrics.jsonl");
  assert(lines.length <= 40, "curves of more epochs show no points");
  // A point for each epoch's training and validation loss, the best one marked; after a reload too.
  for (let visit = 0; visit < 2; visit++) {
    await until(async () => await points("#rates") === lines.length);
    const best = await page.locator("#loss .best circle, #loss circle.best").count();
    assertEquals([await points("#loss"), best], [2 * lines.length, 1]);
    assertEquals(await page.locator("#epochs tr").count(), Math.min(20, lines.length));
    if (visit === 0) await page.reload();
  }
  assertEquals(await page.textContent("#pause"), "Resume");

  await page.focus("#factor");
  await page.keyboard.press("Home");
  await until(async () => await page.textContent("#rate") === "0.0001 now (×0.01)");
  for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowRight");
  await until(async () => (await page.textContent("#rate"))!.includes("(×0.0141)"));
  const told = /0\.0141 times the settings', from step \d+ on$/; // a moment after it is in effect
  await until(async () => told.test((await page.textContent("#messages li:last-child"))!));

  await page.focus("#pause");
  await page.keyboard.press("Space");
  const { step, epoch } = lines.at(-1)!;
  const epochLater = step + step / epoch;
  await listener.until(({ last }) => last!.step > epochLater && last!.learningRate === 0.01 * 0.0141);
}

async function listensWhileSeen(first: Page, listener: Listener): Promise<void> {
  const epochOf = async (page: Page) => parseInt((await page.textContent("#epoch"))!);
  await first.route("**/pause", () => {}); // is never answered
  await first.click("#pause");
  await listener.ask("/pause");
  const open = async () => {
    const page = await first.context().newPage();
    await page.goto(first.url());
    await until(async () => await page.textContent("#phase") === "paused");
    return page;
  };
  let hidden = first;
  for (let i = 0; i < 6; i++) {
    hidden = await open();
    await hidden.keyboard.press("F9");
    await until(async () => await hidden.title() === "r");
  }
  const seventh = await open();
  const from = await epochOf(hidden);
  await listener.ask("/resume");
  await until(async () => await epochOf(seventh) > from + 2);
  assertEquals([await hidden.title(), await epochOf(hidden)], ["r", from]);
  await hidden.keyboard.press("F9");
  await until(async () => await epochOf(hidden) > from + 2);
  assertMatch(await hidden.title(), /^r: \d+%$/);
  await listener.ask("/pause");
  await until(async () => await first.isVisible("#problem"));
  assertMatch(
    (await first.textContent("#problem"))!,
    /^The training does not answer\. A browser allows six connections/,
  );
}
