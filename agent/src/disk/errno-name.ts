import { constants } from "node:os"

/** The name of an errno, such as EPERM. */
export function errnoName(errno: number): string {
  for (const [name, value] of Object.entries(constants.errno)) if (value === errno) return name
  return `errno ${errno}`
}
