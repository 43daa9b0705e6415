/** The npm script of a clone that runs each program (package.json of the repository). */
const SCRIPTS: Readonly<Record<string, string>> = {
  "headrace-agent": "agent",
  "headrace-bootstrapper": "bootstrapper",
  "headrace-plugin": "plugin",
}
/** The scripts of a clone that run a program of ours, or print commands of one. */
const CLONE_SCRIPTS = ["agent", "bootstrapper", "demo", "plugin", "up"]

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The words by which a person can type one of our programs, judged by how this one was started: by a script of a clone
 * (`npm run -s bootstrapper --`), by npx, or by its name. npm names both in the environment of what it runs
 * (docs.npmjs.com, "Scripts").
 */
export function typedProgram(name: string, environment: Environment = process.env): readonly string[] {
  const { npm_lifecycle_event: event = "", npm_lifecycle_script: script = "" } = environment
  const own = SCRIPTS[name]
  const isClone = environment.npm_package_name === "headrace" && CLONE_SCRIPTS.includes(event)
  if (isClone && own !== undefined) return ["npm", "run", "-s", own, "--"]
  return event === "npx" && script.includes("headrace-") ? ["npx", name] : [name]
}

/** A program's name before one of its words or flags: the beginning of a command that is not typed yet. */
const COMMAND = /(?<![\w./-])(?<!\bnpx )headrace-(?:agent|bootstrapper|plugin)(?= [a-z-])/g

/** Advice with each command in it as this program's reader can type it; what is so already stays. */
export function typedAdvice(advice: string, environment: Environment = process.env): string {
  return advice.replaceAll(COMMAND, (name) => typedProgram(name, environment).join(" "))
}
