import type { ErrorMeanings } from "../foundation/errors.ts"

/** The codes that `lanes` declares, as docs/reference/errors.md explains them. */
export const lanesErrors = {
  "lanes/come-back-later": {
    meaning: "A job asks to be run again after a while. No failure.",
    cause: "What it waits for has not happened yet.",
    remedy: "Wait: it runs again by itself.",
  },
  "lanes/handed-back": {
    meaning: "The program ends, and its wake-up goes back to the lane for another instance.",
    cause: "A rollout or a node that drains.",
    remedy: "Wait: another instance takes it.",
  },
  "lanes/lock-lost": {
    meaning: "A worker lost its lane and stopped; another instance goes on.",
    cause: "The process was stopped for long, or Redis did not answer.",
    remedy: "Check the CPU limit of the plugin and the latency of Redis when it returns.",
  },
  "lanes/newer-format": {
    meaning: "The lanes in Redis are of a newer format than this version knows.",
    cause: "Another instance was upgraded first.",
    remedy: "Upgrade this program, or give it a redis.prefix of its own.",
  },
  "lanes/no-redis": {
    meaning: "Nothing says where Redis is.",
    cause: "Neither flag, settings nor environment name it.",
    remedy:
      "Give --redis-url-file, redis.urlFile in the settings, or REDIS_URL in the environment; for one run without Redis give apply --direct.",
  },
  "lanes/not-enqueued": {
    meaning: "Redis did not take a wake-up. The next poll wakes the lane again.",
    cause: "The connection broke, or Redis refuses writes: a replica, or a failed save.",
    remedy: "Check that Redis is a primary and takes writes: redis-cli info replication.",
  },
  "lanes/redis-evicts": {
    meaning: "Redis would drop queues when it is full.",
    cause: "Its maxmemory-policy is not noeviction.",
    remedy: "Set maxmemory-policy noeviction on it.",
  },
  "lanes/redis-full": {
    meaning: "Redis is full and takes no wake-ups.",
    cause: "Something else fills it, or its maxmemory is very small.",
    remedy: "Give it more memory, or look at what else it holds: lanes need little.",
  },
  "lanes/redis-no-writes": {
    meaning: "Redis answers reads and takes no writes. Headrace goes on by itself when it takes them again.",
    cause:
      "It became a replica after a failover, its clients are paused (CLIENT PAUSE), or it cannot save to its disk (MISCONF).",
    remedy:
      "Give the URL of the primary, or make this Redis take writes again: REPLICAOF NO ONE for a replica, CLIENT UNPAUSE for a paused one, room on its disk otherwise.",
  },
  "lanes/redis-rights": {
    meaning: "The user of the Redis URL lacks rights. Headrace goes on by itself when they are given.",
    cause: "An ACL that is narrower than what lanes need, or keys of another redis.prefix.",
    remedy:
      "Run the ACL SETUSER command of the hint, or give the user the rights that docs/reference/redis.md lists.",
  },
  "lanes/redis-slow": {
    meaning: "Redis did not answer in time.",
    cause: "An overloaded Redis, or the network.",
    remedy: "Check the latency of Redis: redis-cli --latency.",
  },
  "lanes/redis-tls": {
    meaning: "A file for TLS to Redis cannot be read.",
    cause: "A wrong path in the Redis URL, or a secret that is not mounted.",
    remedy: "Check the path of the file in the Redis URL, and its permissions.",
  },
  "lanes/redis-unavailable": {
    meaning:
      "Redis does not answer. Headrace connects by itself when it is back; polls and the bootstrapper go on.",
    cause: "Redis is down, or the URL, password or TLS files are wrong.",
    remedy: "Check that Redis runs and that the URL, password and TLS files are right.",
  },
  "lanes/redis-url": {
    meaning: "The Redis URL cannot be used.",
    cause:
      "A wrong scheme, special characters of the password that are not percent-encoded, or a database that the server does not have.",
    remedy:
      "Write redis://, rediss://, redis+sentinel:// or redis+cluster://, with special characters of the password percent-encoded.",
  },
  "lanes/paused": {
    meaning:
      "Another program paused a lane, limited its rate or locked its work: a dashboard's button, or somebody who may write into Redis. Workers of Headrace resume it within seconds.",
    cause: "BullMQ's pause or rate limit, set from outside; Headrace sets neither.",
    remedy:
      "Where it stays paused, start the plugin, which resumes it. Otherwise find out who else writes into this Redis, and give that program another user.",
  },
  "lanes/redis-url-file": {
    meaning: "The file with the Redis URL cannot be read.",
    cause: "A wrong path, or a secret that is not mounted.",
    remedy: "Check the path given with --redis-url-file or redis.urlFile, and its permissions.",
  },
  "lanes/reply-too-large": {
    meaning:
      "Redis sent a reply of more bytes than `bounds.redisReply`. The connection was closed and is opened again, and keys of ours that are too large are deleted.",
    cause: "Another server behind the URL, or another program that has written huge values under our keys.",
    remedy:
      "Check what the Redis URL leads to, and who else may write under the prefix: the log names the keys.",
  },
  "lanes/schedule": {
    meaning: "The schedule of a lane cannot be used.",
    cause: "A slip in the cron pattern.",
    remedy: 'Write a cron pattern such as "0 * * * *" (hourly).',
  },
  "lanes/unknown-wake-up": {
    meaning: "A wake-up in a lane cannot be read.",
    cause: "A newer version of Headrace wrote it.",
    remedy: "Upgrade this program.",
  },
} as const satisfies ErrorMeanings

declare module "../foundation/errors.ts" {
  interface ErrorCodes extends Record<keyof typeof lanesErrors, unknown> {}
}
