import { type UserInfo, userInfo } from "node:os"

/** Who runs this program, by name; by number in a container whose user has no name (man 3 getpwuid: ENOENT). */
export function userName(look: () => Pick<UserInfo<string>, "username"> = userInfo): string {
  try {
    return look().username
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`
  }
}
