/** One row of a table of SECURITY.md that names tests. */
export interface Threat {
  line: number
  who: string
  tries: string
  promise: string
  tests: NamedTest[]
}

export interface NamedTest {
  /** From the project's root. */
  file: string
  /** As the source has it, with its `%s` and `${…}`. */
  title: string
}

interface Row {
  line: number
  cells: string[]
}

/** Rows of every table with the given header, in order. Pure. */
function tableRows(text: string, header: readonly string[]): Row[] {
  const rows: Row[] = []
  let isInside = false
  text.split("\n").forEach((line, index) => {
    if (!line.startsWith("|")) isInside = false
    const cells = line.split("|").slice(1, -1)
    const trimmed = cells.map((cell) => cell.trim())
    if (isInside && !/^[-| ]+$/.test(line)) rows.push({ line: index + 1, cells: trimmed })
    if (trimmed.join() === header.join()) isInside = true
  })
  return rows
}

/** The threats of SECURITY.md: every row of a table with the columns who, tries, promise and test. Pure. */
export function threatsOf(text: string): Threat[] {
  return tableRows(text, ["who", "tries", "promise", "test"]).map(({ line, cells }) => {
    const [who = "", tries = "", promise = "", ...tests] = cells
    return { line, who, tries, promise, tests: namedTests(tests.join("|")) }
  })
}

/** Who is named as one that can attack: the first column of the table of actors. Pure. */
export function actorsOf(text: string): string[] {
  return tableRows(text, ["who", "has", "is believed to"]).map(({ cells }) => cells[0] ?? "")
}

/** `FILE: TITLE`, several with `<br>` between. */
function namedTests(cell: string): NamedTest[] {
  return cell.split("<br>").flatMap((one) => {
    const [, file, title] = /^\s*`([^`]+)`: (.+?)\s*$/.exec(one) ?? []
    return file === undefined || title === undefined ? [] : [{ file, title }]
  })
}

/** Whether a test file has a test, or a group of them, of that title. Pure. */
export function hasTest(source: string, title: string): boolean {
  // The title ends there, or has only the reason for which the test may be skipped after it.
  return ['"', "`"].some((quote) =>
    [quote, "${whySkipped"].some((end) => source.includes(`${quote}${title}${end}`)),
  )
}
