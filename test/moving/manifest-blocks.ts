import { readFileSync } from "node:fs"
import { join } from "node:path"
import { load } from "js-yaml"

const DOCS = join(import.meta.dirname, "../../docs/moving-from")

interface Block {
  language: string
  /** `before=airflow`: what follows the language. */
  title: string
  text: string
}

/** The blocks of a page of docs/moving-from. */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(join(DOCS, page), "utf8")
  return [...text.matchAll(/^```(\w+) ?([^\n]*)\n(.*?)^```$/gms)].map(
    ([, language = "", title = "", body = ""]) => ({
      language,
      title,
      text: body,
    }),
  )
}

/** The text of the block with a title. */
export function block(page: string, title: string): string {
  const found = blocksOf(page).find((each) => each.title === title)
  if (found === undefined) throw new Error(`${page} has no block ${title}`)
  return found.text
}

/** What these pages show of a container. */
export interface Container {
  image: string
  command?: string[]
  args?: string[]
  env?: { name: string; value: string }[]
  volumeMounts: { name: string; mountPath: string }[]
}

/** The one container of a manifest. */
export function container(text: string): Container {
  const pod = load(text) as { containers?: Container[]; initContainers?: Container[] }
  const [found] = [...(pod.containers ?? []), ...(pod.initContainers ?? [])]
  if (found === undefined) throw new Error("no container")
  return found
}
