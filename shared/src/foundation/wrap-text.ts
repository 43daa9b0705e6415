/** Breaks a text between words into lines of at most `width` columns; a word that is longer has a line of its own. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ""
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/**
 * Breaks a command line before its flags, and where that is not enough between its words, so that it can be copied into a
 * shell as it is: `\` ends each line but the last. A word that is longer than a line has one of its own.
 */
export function wrapCommand(command: string, width: number): string[] {
  const room = width - " \\".length
  const lines: string[] = []
  let line = ""
  for (const piece of piecesOf(command, room - INDENT.length)) {
    if (line !== "" && line.length + 1 + piece.length > room) {
      lines.push(`${line} \\`)
      line = INDENT + piece
    } else line = line === "" ? piece : `${line} ${piece}`
  }
  return [...lines, line]
}

const INDENT = "  "

/** A flag with its value, or single words of those that are longer than `room`. */
function piecesOf(command: string, room: number): string[] {
  return command
    .split(/ (?=--)/)
    .flatMap((piece) => (piece.length > room ? (piece.match(WORD) ?? []) : [piece]))
}

/** A word of a shell's: spaces within quotes do not end it. */
const WORD = /(?:'[^']*'|"[^"]*"|[^\s'"])+/g
