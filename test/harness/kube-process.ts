import { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import {
  type EmbeddedKube,
  startEmbeddedKube,
} from "@headrace/config/local/embedded-kube/start-embedded-kube"

/**
 * An embedded API server as a process of its own, which its parent lets answer and not answer by the messages
 * `up` and `down`; what it holds outlasts that: `node kube-process.ts PORT TOKEN`. `count` is answered by the number of
 * requests since it was last up.
 */
const [, , port = "", token = ""] = process.argv
const store = new ObjectStore({ createNamespaces: true })
let serving: EmbeddedKube | undefined

async function follow(wanted: unknown): Promise<void> {
  if (wanted === "count") {
    const counts = Object.values(serving?.requests.all() ?? {})
    process.send?.({ requests: counts.reduce((sum, count) => sum + count, 0) })
    return
  }
  if (wanted === "up") serving ??= await startEmbeddedKube({ port: Number(port), token, store })
  else {
    await serving?.close()
    serving = undefined
  }
  process.send?.(wanted)
}

let done = Promise.resolve()
process.on("message", (wanted) => {
  done = done.then(() => follow(wanted))
})
process.on("disconnect", () => process.exit(0))
