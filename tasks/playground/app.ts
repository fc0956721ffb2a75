/// <reference lib="dom" />
/** The page: what its controls do, and when it is drawn. */

import type { Device } from "../../lib/gpu/device.ts";
import { Controls } from "./controls.ts";
import { byId, made } from "./elements.ts";
import { makeRows, type PlayData, prepare, type Rows } from "./datasets.ts";
import { checkFit, decodeGiven, settingsOf } from "./given_model.ts";
import { columnsOf, notesText, parsePasted } from "./pasted.ts";
import { Session } from "./session.ts";
import { DEFAULTS, fromHash, type Settings, toHash } from "./settings.ts";
import { PageView } from "./view.ts";
import { clearWalk, Walk } from "./walk_view.ts";

/** Milliseconds of training between two pictures, unless drawing one takes longer. */
const SLICE = 40;

/** The running page. Everything that uses the session runs in turn. */
export class App {
  readonly #device: Device;
  readonly #view = new PageView();
  readonly #controls: Controls;
  #settings: Settings = fromHash(location.hash);
  #pasted: Rows | undefined;
  #session: Session | undefined;
  #walk: Walk | undefined;
  #isRunning = false;
  #epochsPerSlice = 1;
  #turn: Promise<void> = Promise.resolve();

  constructor(device: Device) {
    this.#device = device;
    const form = byId<HTMLFormElement>("controls");
    this.#controls = new Controls(form, (key) => this.#change(key), (fault) => this.#view.say(fault));
    const actions: Record<string, () => void> = {
      run: () => this.#run(!this.#isRunning),
      step: () => this.#do(() => this.#step(1)),
      finish: () => this.#do(() => this.#step(Infinity)),
      reset: () => this.#reset(),
      use: () => this.#do(() => this.#usePasted()),
      download: () => this.#do(() => this.#download()),
      open: () => byId<HTMLInputElement>("upload").click(),
    };
    for (const [id, act] of Object.entries(actions)) byId(id).addEventListener("click", act);
    byId("upload").addEventListener("change", () => this.#do(() => this.#upload()));
    byId("question").addEventListener("input", () => this.#do(() => this.#answer()));
    byId("csv").addEventListener("change", () => this.#do(() => this.#listColumns()));
    addEventListener("keydown", (event) => this.#key(event, { r: "run", s: "step", x: "reset" }));
    addEventListener("resize", () => this.#do(() => this.#draw()));
    addEventListener("hashchange", () => {
      if (location.hash !== toHash(this.#settings)) this.#take(fromHash(location.hash));
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#do(() => this.#draw()));
  }

  async start(): Promise<void> {
    this.#take(this.#settings);
    await this.#turn;
  }

  #take(settings: Settings): void {
    this.#settings = settings;
    this.#controls.show(settings);
    this.#reset();
  }

  #change(key: keyof Settings): void {
    const read = this.#controls.read(this.#settings);
    if (key === "dataset") return this.#take({ ...DEFAULTS[read.dataset], seed: read.seed });
    this.#settings = read;
    if (key !== "learningRate" && key !== "epochs") return this.#reset();
    history.replaceState(null, "", toHash(read));
    if (key === "learningRate") {
      this.#do(() => void (this.#session && (this.#session.learningRate = read.learningRate)));
    }
  }

  /** Starts again from the settings. */
  #reset(): void {
    this.#run(false);
    history.replaceState(null, "", toHash(this.#settings));
    this.#do(async () => {
      const { dataset, noise, seed } = this.#settings;
      const isPasted = dataset === "csv";
      byId("pasted").hidden = !isPasted;
      if (isPasted && !this.#pasted) return this.#view.say("", "Paste a CSV, then press “Use this CSV”.");
      const rows = isPasted ? this.#pasted! : makeRows(dataset, noise, seed);
      await this.#begin((data) => new Session(this.#device, data, this.#settings), prepare(rows, seed));
    });
  }

  async #begin(make: (data: PlayData) => Session, data: PlayData): Promise<void> {
    const session = make(data);
    this.#session?.[Symbol.dispose]();
    this.#session = session;
    this.#endWalk();
    clearWalk(this.#view.walk);
    this.#view.begin(session);
    await this.#draw();
  }

  #run(isRunning: boolean): void {
    if (isRunning === this.#isRunning) return;
    this.#isRunning = isRunning;
    this.#view.showRunning(isRunning);
    if (isRunning) this.#do(() => this.#slice());
  }

  /** Trains for a moment, draws, and schedules the next slice. */
  async #slice(): Promise<void> {
    const session = this.#session;
    const left = this.#settings.epochs - (session?.epoch ?? 0);
    if (!session || !this.#isRunning) return this.#run(false);
    if (this.#walk) this.#endWalk();
    if (left <= 0) {
      this.#view.say(`Epoch ${session.epoch} is reached: raise “Pause at epoch” to train on.`);
      return this.#run(false);
    }
    const since = performance.now();
    const epochs = Math.min(left, this.#epochsPerSlice);
    await session.train(epochs);
    const drawing = performance.now();
    const took = drawing - since;
    await this.#draw();
    // Drawing takes no more than half of the time, unless an epoch is long.
    const goal = Math.max(SLICE, performance.now() - drawing);
    if (took < goal) this.#epochsPerSlice = Math.min(2 * epochs, 64);
    else if (took > 3 * goal) this.#epochsPerSlice = Math.max(1, epochs >> 1);
    await new Promise((resolve) => setTimeout(resolve));
    if (session.epoch >= this.#settings.epochs) this.#run(false);
    if (this.#isRunning) this.#do(() => this.#slice());
  }

  async #step(count: number): Promise<void> {
    this.#run(false);
    const session = this.#session;
    if (!session) return;
    this.#walk ??= await Walk.begin(session, this.#view.walk);
    byId<HTMLButtonElement>("finish").disabled = false;
    let isOver = false;
    for (let i = 0; i < count && !isOver; i++) isOver = await this.#walk.next();
    this.#view.announce(this.#walk.said);
    if (!isOver) return;
    this.#endWalk();
    await this.#draw();
  }

  /** A walk that is not finished has changed nothing. */
  #endWalk(): void {
    this.#walk = undefined;
    byId<HTMLButtonElement>("finish").disabled = true;
  }

  async #listColumns(): Promise<void> {
    const list = byId<HTMLSelectElement>("target");
    const columns = await columnsOf(byId<HTMLTextAreaElement>("csv").value);
    const chosen = columns.includes(list.value) ? list.value : columns.at(-1);
    list.replaceChildren(...columns.map((name) => new Option(name, name, false, name === chosen)));
  }

  async #usePasted(): Promise<void> {
    await this.#listColumns();
    const text = byId<HTMLTextAreaElement>("csv").value;
    const target = byId<HTMLSelectElement>("target").value;
    this.#pasted = await parsePasted(text, target || undefined);
    byId("notes").textContent = notesText(this.#pasted.notes!);
    this.#reset();
  }

  async #download(): Promise<void> {
    if (!this.#session) return;
    const url = URL.createObjectURL(new Blob([await this.#session.encode()]));
    const link = made("a");
    link.href = url;
    link.download = "model.safetensors";
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  async #upload(): Promise<void> {
    const input = byId<HTMLInputElement>("upload");
    const [file] = input.files ?? [];
    input.value = ""; // the same file may be chosen again
    if (!file || !this.#session) return;
    const { rows } = this.#session.data;
    const bytes = new Uint8Array(await file.arrayBuffer());
    const given = decodeGiven(this.#device, bytes, file.name);
    try {
      checkFit(given, rows, file.name);
      const settings = settingsOf(given, this.#settings);
      const data = prepare(rows, settings.seed, given.description.scalers);
      await this.#begin((data) => new Session(this.#device, data, settings, given), data);
      this.#settings = settings;
      this.#controls.show(settings);
      this.#view.say("", `${file.name} is loaded: training continues from it.`);
    } catch (error) {
      given.dispose();
      throw error;
    }
  }

  async #draw(): Promise<void> {
    if (!this.#session) return;
    await this.#view.draw(this.#session);
    await this.#answer();
  }

  async #answer(): Promise<void> {
    const { value } = byId<HTMLInputElement>("question");
    if (this.#session) byId("answer").textContent = await this.#session.answer(value);
  }

  /** Does something after everything before it, and shows what went wrong. */
  #do(action: () => Promise<void> | void): void {
    this.#turn = this.#turn.then(async () => {
      this.#view.clearFault();
      await action();
    }).catch((error: Error) => {
      this.#run(false);
      this.#view.say(error.message);
    });
  }

  /** Keys work unless something is typed. */
  #key(event: KeyboardEvent, keys: Readonly<Record<string, string>>): void {
    const isTyped = (event.target as Element).matches("input, textarea, select");
    const id = keys[event.key.toLowerCase()];
    if (!id || isTyped || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    byId(id).click();
  }
}
