import type { ErrorMeaning } from "@headrace/shared/foundation/errors"

/** docs/reference/errors.md: every code by area and name, with an anchor that is the code itself. */
export function errorPage(meanings: Readonly<Record<string, ErrorMeaning>>): string {
  const codes = Object.keys(meanings).sort()
  const areas = [...new Set(codes.map(areaOf))]
  const links = areas.map((area) => `[${area}](#${area})`).join(", ")
  const sections = areas.map((area) => {
    const ofArea = codes.filter((code) => areaOf(code) === area)
    return `## ${area}\n\n${ofArea.map((code) => codeText(code, meanings[code])).join("\n")}`
  })
  return `# Error codes

<!-- Generated from the error-codes.ts of each module: vitest run test/reference --update=all. Do not edit. -->

A program prints an error's code in brackets after its message; \`status\`, logs, metrics and a node's report give it
too. A code never changes once released. An error that another one caused follows it, with its own code: act on the
last one first.

${links}

${sections.join("\n")}`
}

function areaOf(code: string): string {
  return code.slice(0, code.indexOf("/"))
}

function codeText(code: string, meaning: ErrorMeaning | undefined): string {
  if (!meaning) return ""
  return `### <a id="${code}"></a>${code}

${plain(meaning.meaning)}

- **Cause:** ${plain(meaning.cause)}
- **Remedy:** ${plain(meaning.remedy)}
`
}

/** A glob is no emphasis: outside of code, Markdown reads pairs of `*` and `_`. */
function plain(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith("`") ? part : part.replace(/[\\*_<[\]]/g, "\\$&")))
    .join("")
}
