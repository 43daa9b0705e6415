import { commandLineErrors } from "@headrace/shared/command-line/error-codes"
import { flag } from "@headrace/shared/command-line/flag"
import { createProgram, runCommandLine } from "@headrace/shared/command-line/program"
import { UsageError } from "@headrace/shared/foundation/errors"
import { afterEach, describe, expect, it, vi } from "vitest"

interface Seen {
  code: 0 | 2 | undefined
  ran: Record<string, unknown>[]
  printed: string
}

/** A program with a command `show`, run with these arguments after its name. */
async function run(...args: string[]): Promise<Seen> {
  const ran: Record<string, unknown>[] = []
  let printed = ""
  const program = createProgram("headrace-sample", import.meta.url).configureOutput({
    writeOut: (text) => (printed += text),
    writeErr: (text) => (printed += text),
  })
  program
    .command("show")
    .addOption(flag("--config <file>", "settings").needed())
    .addOption(flag("--commit <id>", "commit").needed())
    .addOption(flag("--wait", "wait").default(false))
    .addOption(flag("--no-fetch", "do not fetch"))
    .action((options) => {
      ran.push(options)
    })
  program
    .command("name")
    .argument("<what>", "what is named")
    .action(() => undefined)
  program
    .command("judge")
    .addOption(flag("--wait <duration>", "how long"))
    .addOption(flag("--pr <number>", "pull request"))
    .action(({ wait, pr }) => {
      throw wait === undefined
        ? new UsageError("usage/wrong-value", `${pr} is not a pull request's number`, { hint: "Give one." })
        : new UsageError("usage/wrong-value", `--wait ${JSON.stringify(wait)}: expected a duration`)
    })
  const code = await runCommandLine(program, ["node", "headrace-sample", ...args])
  return { code, ran, printed }
}

afterEach(() => {
  vi.unstubAllEnvs()
})

describe("a command line", () => {
  it.each([
    [["show", "--confg", "x"], "--config"],
    [["show", "--comit", "x", "--config", "x"], "--commit"],
    [["show", "--wiat"], "--wait"],
    [["shwo"], "mean show"],
    [["completoin", "bash"], "mean completion"],
    [["completion", "csh"], "bash, zsh, fish"],
  ])("names what a misspelt word may have meant: %j", async (args, meant) => {
    const { code, ran, printed } = await run(...args)
    expect([code, ran]).toEqual([2, []])
    expect(printed).toContain(meant)
    expect(printed).toMatch(/Run "headrace-sample.*--help"/)
  })

  it("names every flag that is missing, and the command whose help lists them", async () => {
    const { code, printed } = await run("show")
    expect(code).toBe(2)
    expect(printed).toContain("--config <file> and --commit <id> must be given")
    expect(printed).toContain('Run "headrace-sample show --help"')
  })

  it("names an argument that is missing", async () => {
    const { code, printed } = await run("name")
    expect([code, printed]).toEqual([2, expect.stringContaining("error: <what> must be given")])
  })

  it("refuses a stray word by name", async () => {
    const { code, ran, printed } = await run("show", "--config", "c", "--commit", "1", "stray")
    expect([code, ran]).toEqual([2, []])
    expect(printed).toContain('"stray"')
  })

  it.each([
    [["--config", ""], "--config is empty; it takes <file>: settings"],
    [["--config=", "--commit", "1"], "--config is empty"],
    [["--config", "a", "--config", "b"], '--config is given twice, as "a" and as "b"'],
    [["--commit", "1", "--commit=2"], '--commit is given twice, as "1" and as "2"'],
  ])("refuses a value that is empty or not the only one: %j", async (args, message) => {
    const { code, ran, printed } = await run("show", ...args)
    expect([code, ran]).toEqual([2, []])
    expect(printed).toContain(message)
  })

  it("takes the same value twice, and a flag without a value any number of times", async () => {
    const args = ["--config", "c", "--config", "c", "--commit", "1", "--wait", "--wait"]
    expect(await run("show", ...args)).toMatchObject({ code: undefined, ran: [{ config: "c", wait: true }] })
  })

  it("takes its version before and after a command", async () => {
    expect(await run("--version")).toMatchObject({
      code: 0,
      printed: expect.stringMatching(/^headrace-sample \d/),
    })
    expect(await run("show", "--version")).toMatchObject({ code: 0 })
  })
})

describe("a misuse", () => {
  it.each([
    [["show", "--confg", "x"], "usage/unknown-flag", "Did you mean --config?"],
    [
      ["--confg", "x"],
      "usage/unknown-flag",
      "Did you mean --config? Give it after a command: headrace-sample show --config.",
    ],
    [["nmae", "--config", "x"], "usage/unknown-command", "Did you mean name?"],
    [["help", "shwo"], "usage/unknown-command", 'did you mean "show"?'],
    [["show"], "usage/missing-flag", 'Run "headrace-sample show --help"'],
    [["show", "--config"], "usage/missing-value", 'Run "headrace-sample show --help"'],
    [["show", "--config", ""], "usage/wrong-value", 'Run "headrace-sample show --help"'],
    [["show", "--config", "a", "--config", "b"], "usage/given-twice", 'Run "headrace-sample show --help"'],
    [["name"], "usage/missing-argument", 'Run "headrace-sample name --help"'],
    [["name", ""], "usage/wrong-value", 'Run "headrace-sample name --help"'],
    [["name", "a", "b"], "usage/extra-argument", 'Run "headrace-sample name --help"'],
  ])("is printed with its documented code, and hints below: %j", async (args, usage, hint) => {
    const { code, ran, printed } = await run(...args)
    expect([code, ran]).toEqual([2, []])
    const [message, ...hints] = printed.trimEnd().split("\n")
    expect(message).toMatch(new RegExp(`^error: .* \\[${usage}\\]$`))
    expect(Object.keys(commandLineErrors)).toContain(usage)
    expect(hints.join("\n")).toContain(hint)
    for (const line of hints) expect(line).toMatch(/^ {2}[A-Z].*[.?]$/)
  })
})

describe("the environment of a flag", () => {
  it.each(["true", "1", "yes", "on"])("is yes for %j", async (value) => {
    vi.stubEnv("HEADRACE_WAIT", value)
    expect((await run("show", "--config", "c", "--commit", "1")).ran).toMatchObject([{ wait: true }])
  })

  it.each(["false", "0", "no", "off", ""])("is no for %j", async (value) => {
    vi.stubEnv("HEADRACE_WAIT", value)
    vi.stubEnv("HEADRACE_NO_FETCH", value)
    const { ran } = await run("show", "--config", "c", "--commit", "1")
    expect(ran).toMatchObject([{ wait: false, fetch: true }])
  })

  it("is refused by name for anything else", async () => {
    vi.stubEnv("HEADRACE_WAIT", "perhaps")
    const { code, printed } = await run("show", "--config", "c", "--commit", "1")
    expect([code, printed]).toEqual([2, expect.stringContaining("HEADRACE_WAIT")])
  })

  it("is judged for the command that runs, and named by its help", async () => {
    vi.stubEnv("HEADRACE_WAIT", "perhaps")
    expect((await run("show", "--config", "c", "--commit", "1")).printed).toContain(
      "headrace-sample show --help",
    )
    expect(await run("name", "x")).toMatchObject({ code: undefined, printed: "" })
  })

  it("is named where a value is judged once the command runs", async () => {
    vi.stubEnv("HEADRACE_PR", "abc")
    const message = "abc is not a pull request's number (given by HEADRACE_PR)"
    await expect(run("judge")).rejects.toMatchObject({
      code: "usage/wrong-value",
      message,
      hint: "Give one.",
    })
    await expect(run("judge", "--pr", "abd")).rejects.toMatchObject({
      message: expect.not.stringContaining("HEADRACE"),
    })
    vi.stubEnv("HEADRACE_WAIT", "soon\u0007")
    await expect(run("judge")).rejects.toMatchObject({
      message: expect.stringMatching(/: expected a duration \(given by HEADRACE_WAIT\)$/),
    })
  })

  it("gives what must be given, and an empty variable gives nothing", async () => {
    vi.stubEnv("HEADRACE_CONFIG", "from-env")
    vi.stubEnv("HEADRACE_COMMIT", "")
    expect(await run("show")).toMatchObject({ code: 2, printed: expect.stringContaining("--commit") })
    expect((await run("show", "--commit", "1")).ran).toMatchObject([{ config: "from-env" }])
    const both = await run("show", "--commit", "1", "--config", "from-line")
    expect(both.ran).toMatchObject([{ config: "from-line" }])
  })

  it("is named where a needed flag is missing and a variable is most likely a slip of its twin", async () => {
    vi.stubEnv("HEADRACE_CONFIG", "")
    vi.stubEnv("HEADRACE_CONFGI", "c")
    const { code, printed } = await run("show", "--commit", "1")
    expect(code).toBe(2)
    expect(printed).toContain("Nothing reads HEADRACE_CONFGI: did you mean HEADRACE_CONFIG?")
    vi.stubEnv("HEADRACE_CONFGI", undefined)
    vi.stubEnv("HEADRACE_COMMIT", "1")
    expect((await run("show")).printed).not.toContain("did you mean")
  })
})
