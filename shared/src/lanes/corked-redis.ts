import { Redis } from "ioredis"

/**
 * A connection that writes the commands of one turn of the event loop in one system call: a burst of webhooks
 * would otherwise cost one for each.
 *
 * Not ioredis' own auto-pipelining: that one throws outside of every promise, and so ends the process, for a command
 * that was defined after another command of the same turn, as BullMQ defines its scripts whenever a queue opens.
 */
export class CorkedRedis extends Redis {
  #corked = false

  override sendCommand(...parameters: Parameters<Redis["sendCommand"]>): unknown {
    this.#cork()
    return super.sendCommand(...parameters)
  }

  #cork(): void {
    const { stream } = this
    if (this.#corked || this.status !== "ready") return
    this.#corked = true
    stream.cork()
    setImmediate(() => {
      this.#corked = false
      stream.uncork()
    })
  }
}
