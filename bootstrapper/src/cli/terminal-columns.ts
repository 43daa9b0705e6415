import { COLUMNS } from "@headrace/shared/status/status-text"

const LEAST = 40

/** How wide standard output is; 80 columns where it does not say, as some terminals that say 0. */
export function terminalColumns({ columns }: { columns?: number | undefined } = process.stdout): number {
  return columns === undefined || columns === 0 ? COLUMNS : Math.max(LEAST, columns)
}
