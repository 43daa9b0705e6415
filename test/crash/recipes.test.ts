import { execFileSync, spawn, spawnSync } from "node:child_process"
import fs from "node:fs"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { whySkipped } from "../harness/why-skipped.ts"
import { revisionOf, withProjection } from "../harness/with-projection.ts"

const RECIPES = fileURLToPath(new URL("../../docs/recipes", import.meta.url))
const FILES = 5

/** Every file says which revision it is of. */
function files(seq: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: FILES }, (_, index) => [`d${index % 2}/f${index}`, `${seq}`]),
  )
}

const TOOLCHAINS: [string, string, (path: string) => [string, string[]]][] = [
  ["shell", "flock", (path) => ["sh", [join(RECIPES, "read-revision.sh"), path]]],
  ["Python", "python3", (path) => ["python3", [join(RECIPES, "read_revision.py"), path]]],
  ["Go", "go", (path) => [join(path, "../read-revision"), [path]]],
]

describe("recipes for readers", () => {
  for (const [language, tool, command] of TOOLCHAINS) {
    const missing =
      spawnSync(tool, [tool === "go" ? "version" : "--version"], { stdio: "ignore" }).status !== 0
    if (missing) process.stdout.write(`the ${language} recipe is not run: ${tool} is not there\n`)

    it.skipIf(missing)(
      `hold a revision through three more: ${language}${whySkipped(missing ? `${tool} is not installed` : undefined)}`,
      async () => {
        const keep = { revisions: 1, age: 0, bytes: 1e9 }
        await withProjection({ keep }, async (projection, path) => {
          if (language === "Go") buildGo(join(path, "../read-revision"))
          await projection.publish(revisionOf(1, files(1)))
          // It prints the revision's directory once it holds it, waits for a line, and prints all files' contents.
          const { code, lines } = await runRecipe(command(path), "0001/c1", async () => {
            for (const seq of [2, 3, 4]) {
              await projection.publish(revisionOf(seq, files(seq)))
              await projection.settled()
            }
          })

          expect(code).toBe(0)
          expect(lines.slice(1)).toEqual(Array.from({ length: FILES }, () => "1"))
          await projection.publish(revisionOf(5, files(5)))
          await projection.settled()
          expect(fs.existsSync(join(path, "..rev/0001"))).toBe(false)
        })
      },
      180_000,
    )

    it.skipIf(missing)(
      `look again when the revision goes between the look and the open: ${language}${whySkipped(missing ? `${tool} is not installed` : undefined)}`,
      async () => {
        await withProjection({}, async (projection, path) => {
          if (language === "Go") buildGo(join(path, "../read-revision"))
          await projection.publish(revisionOf(1, files(1)))
          const link = fs.readlinkSync(join(path, "..data"))
          const draft = join(path, "../draft")
          const lead = (target: string) => {
            fs.symlinkSync(target, draft)
            fs.renameSync(draft, join(path, "..data"))
          }
          lead("..rev/0000/c0")
          const running = runRecipe(command(path), "0001/c1", async () => undefined)
          await delay(300)
          lead(link)

          expect((await running).code).toBe(0)
        })
      },
      180_000,
    )
  }
})

/** Runs a recipe until it has printed `text`, lets it go on, and gives all that it printed. */
async function runRecipe(
  [program, args]: [string, string[]],
  text: string,
  meanwhile: () => Promise<void>,
): Promise<{ code: unknown; lines: string[] }> {
  const reader = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"] })
  let printed = ""
  reader.stdout.on("data", (chunk: Buffer) => {
    printed += chunk.toString()
  })
  const ended = new Promise((resolve) => reader.on("close", resolve))
  await expect.poll(() => printed).toContain(text)
  await meanwhile()
  reader.stdin.end("go on\n")
  return { code: await ended, lines: printed.trim().split("\n") }
}

function buildGo(output: string): void {
  execFileSync("go", ["build", "-o", output, join(RECIPES, "read-revision.go")], {
    env: { ...process.env, GOFLAGS: "-mod=mod", GO111MODULE: "off", GOCACHE: `${output}-cache` },
  })
}
