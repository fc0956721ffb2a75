/** Runs tasks as a user does: a process of their own, in a temporary folder, with the permissions of deno.json. */

/** How a task ended. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** A temporary folder to run tasks in; `using` removes it. */
export class TaskFolder {
  readonly path: string = Deno.makeTempDirSync();

  /** Runs tasks/<script> with network denied; `env` is added to the environment. */
  async run(script: string, args: string[], env: Record<string, string> = {}): Promise<Ended> {
    const permissions = ["--allow-read=.", "--allow-write=data", "--allow-env", "--deny-net"];
    const file = new URL(`../tasks/${script}`, import.meta.url).pathname;
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", ...permissions, file, ...args],
      cwd: this.path,
      env: { NO_COLOR: "1", ...env },
    });
    const { code, stdout, stderr } = await command.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  }

  /** Writes a file in the folder, and the folders above it. */
  write(path: string, content: string): void {
    const full = `${this.path}/${path}`;
    Deno.mkdirSync(full.slice(0, full.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(full, content);
  }

  /** The text of a file in the folder. */
  read(path: string): string {
    return Deno.readTextFileSync(`${this.path}/${path}`);
  }

  /** Names of the files in data/, sorted. */
  names(): string[] {
    return [...Deno.readDirSync(`${this.path}/data`)].map(({ name }) => name).sort();
  }

  /** Removes the folder. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
