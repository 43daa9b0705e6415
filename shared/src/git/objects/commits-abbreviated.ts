import { runGit } from "../process/run-git.ts"

/** What git itself takes for an abbreviation at the least (git-config(1), core.abbrev). */
const ABBREVIATED = /^[0-9a-f]{4,64}$/

/** The commits of a repository whose ids begin with `prefix`, 4 digits or more, in id order; none for any other text. */
export async function commitsAbbreviated(
  gitDir: string,
  prefix: string,
  signal?: AbortSignal,
): Promise<string[]> {
  if (!ABBREVIATED.test(prefix)) return []
  const found = await runGit({ gitDir, args: ["rev-parse", `--disambiguate=${prefix}`], signal })
  const { stdout } = await runGit({
    gitDir,
    args: ["cat-file", "--batch-check=%(objectname) %(objecttype)"],
    stdin: found.stdout,
    signal,
  })
  const lines = stdout.toString("utf8").split("\n")
  return lines.flatMap((line) => (line.endsWith(" commit") ? [line.slice(0, line.indexOf(" "))] : [])).sort()
}
