import { styleText } from "node:util"

/** Colours of a terminal. They repeat what symbols and words say already. */
export interface Paint {
  red(text: string): string
  yellow(text: string): string
  green(text: string): string
  cyan(text: string): string
  dim(text: string): string
  bold(text: string): string
}

/**
 * Colours where somebody reads `stream`: on a terminal without NO_COLOR, or anywhere with FORCE_COLOR, as Node itself
 * judges. CI alone is no reason: what reads a pipe there is a program, as everywhere (https://no-color.org,
 * https://force-color.org).
 */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  return paintWith((format, text) => styleText(format, text, { stream }))
}

/** None. */
export const PLAIN: Paint = paintWith((_format, text) => text)

function paintWith(style: (format: keyof Paint, text: string) => string): Paint {
  return {
    red: (text) => style("red", text),
    yellow: (text) => style("yellow", text),
    green: (text) => style("green", text),
    cyan: (text) => style("cyan", text),
    dim: (text) => style("dim", text),
    bold: (text) => style("bold", text),
  }
}
