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

/** Breaks a command line before its flags, so that it can be copied into a shell as it is: `\` ends each line but the last. */
export function wrapCommand(command: string, width: number): string[] {
  const pieces = command.split(/ (?=--)/)
  const lines: string[] = []
  let line = ""
  for (const piece of pieces) {
    const room = width - " \\".length
    if (line !== "" && line.length + 1 + piece.length > room) {
      lines.push(`${line} \\`)
      line = `  ${piece}`
    } else line = line === "" ? piece : `${line} ${piece}`
  }
  return [...lines, line]
}
