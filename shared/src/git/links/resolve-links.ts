import type { ErrorCode } from "../../foundation/errors.ts"
import { editSorted } from "../../foundation/sorted-list.ts"
import type { Tree, TreeFile, TreeProblem } from "../../foundation/tree.ts"
import { cyclicLinks } from "./cyclic-links.ts"
import { type Entries, followLink, type LinkFault } from "./follow-link.ts"
import { type ResolvedLink, showLinks } from "./show-links.ts"
import { pathOf } from "./sorted-paths.ts"

/** How many files links may show: two links in each of 60 folders would double as many times. */
const MOST_LINKED_FILES = 100_000

const EXPLANATIONS: Record<LinkFault | "link-too-large", { code: ErrorCode; why: string }> = {
  "link-outside": { code: "git/link-outside", why: "which is outside of the tree" },
  "link-dangling": { code: "git/link-dangling", why: "which is not in the tree" },
  "link-cyclic": { code: "git/link-cyclic", why: "which leads back to the link itself" },
  "link-too-large": {
    code: "git/link-too-large",
    why: `beyond the limit of ${MOST_LINKED_FILES} files shown through links`,
  },
}

/**
 * Puts what symbolic links lead to in their place: a link to a file becomes that file, a link to a folder
 * shows the folder's files beneath it, links among them resolved too. What does not resolve inside the
 * tree becomes a problem and shows nothing, and a problem beneath a folder is one beneath each link to it, too. Pure,
 * so that a commit and a folder give the same tree.
 *
 * `entries.files` and `entries.links` are each in path order and share no path; `entries.problems` are those that the
 * tree has without its links.
 */
export function resolveLinks(entries: Entries & { problems: readonly TreeProblem[] }): Tree {
  if (entries.links.length === 0) return { files: entries.files, problems: entries.problems }
  // A link may lead to a place that is not known, or to a folder that holds nothing else.
  const places = editSorted(entries.files, pathOf, [], entries.problems.map(placeOf))
  const faults = new Map<string, keyof typeof EXPLANATIONS>()
  const resolved = followAll({ files: places, links: entries.links }, faults)
  const linked = showLinks(places, resolved, MOST_LINKED_FILES, (path) => faults.set(path, "link-too-large"))
  const faulty = entries.links.flatMap(({ path, target }) => {
    const fault = faults.get(path)
    return fault === undefined ? [] : [linkProblem(path, target, fault)]
  })
  const unknown = new Map(entries.problems.map((problem) => [problem.file, problem]))
  const problems = [
    ...entries.problems,
    ...faulty,
    ...problemsAt(linked, unknown),
    ...faultsThroughLinks(faulty, resolved),
  ]
  const files = linked.filter(({ real = "" }) => !unknown.has(real))
  return { files: editSorted(entries.files, pathOf, [], files), problems }
}

/** Every link that leads somewhere, in path order; the others are noted in `faults`. */
function followAll(entries: Entries, faults: Map<string, LinkFault | "link-too-large">): ResolvedLink[] {
  const resolved: ResolvedLink[] = []
  for (const link of entries.links) {
    const destination = followLink(link, entries)
    if (destination.kind === "fault") faults.set(link.path, destination.fault)
    else resolved.push({ path: link.path, ...destination })
  }
  const folderLinks = resolved.filter((link) => link.kind === "folder")
  for (const index of cyclicLinks(folderLinks)) {
    const link = folderLinks[index]
    if (link) faults.set(link.path, "link-cyclic")
  }
  return resolved.filter((link) => !faults.has(link.path))
}

/** Links with a fault, as seen through links to a folder above them. */
function faultsThroughLinks(
  faulty: readonly TreeProblem[],
  resolved: readonly ResolvedLink[],
): TreeProblem[] {
  const folderLinks = resolved.filter((link) => link.kind === "folder")
  if (faulty.length === 0 || folderLinks.length === 0) return []
  const beyondLimit: TreeProblem[] = []
  const shown = showLinks(faulty.map(placeOf), folderLinks, MOST_LINKED_FILES, (path) =>
    beyondLimit.push(linkProblem(path, "a folder", "link-too-large")),
  )
  return [...problemsAt(shown, new Map(faulty.map((problem) => [problem.file, problem]))), ...beyondLimit]
}

/** The problems that links show, each at the path where it is seen. */
function problemsAt(linked: readonly TreeFile[], problems: ReadonlyMap<string, TreeProblem>): TreeProblem[] {
  return linked.flatMap(({ path, real = "" }) => {
    const problem = problems.get(real)
    return problem ? [{ ...problem, file: path }] : []
  })
}

/** A problem as a file, for what asks only where it is. */
function placeOf({ file }: TreeProblem): TreeFile {
  return { path: file, oid: "", size: 0, executable: false }
}

function linkProblem(path: string, target: string, fault: keyof typeof EXPLANATIONS): TreeProblem {
  const { code, why } = EXPLANATIONS[fault]
  return {
    severity: "error",
    code,
    message: `symbolic link ${path} points to ${target || "nothing"}, ${why}`,
    hint: "Point it at a file or folder of the same tree, or remove it.",
    file: path,
    // A folder may have been there: its files are missing, and not only the one.
    beneath: true,
  }
}
