import { REDIS_COMMANDS } from "@headrace/shared/lanes/redis-rights"

/** The rules of ACL SETUSER, without the password, that give a user exactly the rights that lanes need. */
export function redisAclRules(prefix: string): string {
  const commands = REDIS_COMMANDS.map((name) => `+${name}`).join(" ")
  return `resetkeys ~{${prefix}}:* resetchannels -@all ${commands}`
}
