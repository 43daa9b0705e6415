import { NODE_BEFORE, problem, RECORD_BEFORE } from "../../harness/faulty-fleet.ts"
import type { ExplainedFault } from "./explained-fault.ts"

/** A Redis that has kept a webhook from its lane: nothing is known of it, and the clusters are a commit behind. */
function keeps(
  of: readonly string[],
  what: string,
  redis: { code: string; message: string },
): ExplainedFault {
  const cause = redis.message.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
  return {
    of,
    what,
    fault: { redis: problem(redis.code, redis.message), record: RECORD_BEFORE, node: NODE_BEFORE },
    answer: /not in aaaaaaaaaaaa/,
    says: [new RegExp(`webhook +not known: ${cause}`), /1 commit behind bbbbbbbbbbbb/],
  }
}

const HOST = "Redis at redis:6379"

/** What is wrong with Redis, which keeps no cluster from what it shows. */
export const REDIS_FAULTS: readonly ExplainedFault[] = [
  {
    of: [
      "redis-faults: is absent at the start",
      "redis-faults: is away when it is asked to end",
      "redis-trouble: goes away is logged once",
    ],
    what: "Redis away, with nothing to bring",
    fault: { redis: problem("lanes/redis-unavailable", `${HOST} cannot be reached`) },
    answer: /^live everywhere$/,
    says: [/webhook +not known: Redis at redis:6379 cannot be reached/],
  },
  {
    of: ["redis-faults: is full says so", "redis-faults: becomes full while a wake-up is worked"],
    what: "Redis full, which took no webhook",
    fault: { redis: "full", record: RECORD_BEFORE, node: NODE_BEFORE },
    answer: /not in aaaaaaaaaaaa/,
    says: [/webhook +Redis is full: webhooks are refused/],
  },
  keeps(
    [
      "redis-faults: is killed in mid-burst",
      "redis-link: is too slow for GitHub",
      "redis-link: goes dead silently",
    ],
    "Redis that went away",
    { code: "lanes/redis-unavailable", message: `${HOST} cannot be reached` },
  ),
  keeps(["redis-faults: hangs answers 503", "redis-link: is slow"], "Redis that does not answer", {
    code: "status/no-answer",
    message: "Redis did not answer within 2 s",
  }),
  keeps(["redis-faults: says that a port speaks no Redis"], "a port that speaks no Redis", {
    code: "lanes/redis-unavailable",
    message: `${HOST} does not answer as Redis does`,
  }),
  keeps(
    ["redis-faults: works with a password", "redis-trouble: wants another password"],
    "Redis that refuses the password",
    { code: "lanes/redis-unavailable", message: `${HOST} refuses the user or the password` },
  ),
  keeps(["redis-faults: refuses a Redis with maxmemory-policy %s"], "Redis that evicts keys", {
    code: "lanes/redis-evicts",
    message: `${HOST} has maxmemory-policy allkeys-lru`,
  }),
  keeps(["redis-faults: refuses lanes of a newer format"], "lanes of a newer version", {
    code: "lanes/newer-format",
    message: "lanes in Redis have format 2, and this version knows 1",
  }),
  keeps(["redis-topologies: TLS with a private authority"], "Redis whose certificate is not trusted", {
    code: "lanes/redis-tls",
    message: `${HOST} has a certificate that is not trusted`,
  }),
  keeps(
    ["redis-trouble: takes rights from its user", "redis-trouble: refuses any command, or the keys"],
    "Redis that refuses a right",
    { code: "lanes/redis-rights", message: "Redis lets user headrace not run EVALSHA" },
  ),
  keeps(
    ["redis-trouble: becomes a replica", "redis-trouble: is paused for writes"],
    "Redis that takes no writes",
    { code: "lanes/redis-no-writes", message: `${HOST} takes no writes` },
  ),
]
