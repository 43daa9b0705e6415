import { type LocalRedis, type LocalRedisOptions, startLocalRedis } from "@headrace/config/local/redis-server"

/** A redis-server of the test's own that can be killed and restarted on the same port, empty. */
export interface TestRedis {
  url: string
  port: number
  /** Changes with every start. */
  pid(): number
  /** SIGKILL: connections break at once, nothing is saved. */
  kill(): Promise<void>
  /** Starts it again on the same port after `kill`, empty. */
  restart(): Promise<void>
}

/** Runs `fn` with a real redis-server of its own and stops that server afterwards. */
export async function withRedis<T>(
  fn: (redis: TestRedis) => Promise<T>,
  options: LocalRedisOptions = {},
): Promise<T> {
  let server: LocalRedis = await startLocalRedis(options)
  const { url, port } = server
  const redis: TestRedis = {
    url,
    port,
    pid: () => server.pid,
    async kill() {
      process.kill(server.pid, "SIGKILL")
      await server.close()
    },
    async restart() {
      server = await startLocalRedis({ ...options, port })
    },
  }
  try {
    return await fn(redis)
  } finally {
    await server.close()
  }
}
