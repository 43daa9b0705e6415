import { setTimeout as delay } from "node:timers/promises"
import { systemClock } from "@headrace/shared/foundation/clock"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { OpenCluster } from "@headrace/shared/reconcile/open-cluster"
import {
  type OperatorWord,
  readAnswer,
  type Said,
  wordConfigMap,
} from "@headrace/shared/reconcile/operate/operator-word"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"

/** What an operator says, as a machine without the key keeps it for one that has it. */
export type SpokenWord = Pick<OperatorWord, "by" | "reason"> & { said: Said }

/** Where a word waits for a program with the key; undefined: this machine may change the record itself. */
export async function placeForWord(
  kube: OpenCluster,
  { signing }: Pick<OperatorSettings, "signing">,
): Promise<string | undefined> {
  if (signing?.words === undefined || kube.maySign === undefined) return undefined
  return (await kube.maySign()) ? undefined : signing.words
}

const LOOK_MS = 500

/** Keeps a word in the cluster. Throws `kube/…`. */
export async function keepWord(
  kube: OpenCluster,
  { namespace, source }: { namespace: string; source: string },
  word: SpokenWord,
  signal: AbortSignal,
): Promise<ConfigMap> {
  const at = new Date(systemClock.now()).toISOString()
  return kube.create(wordConfigMap(namespace, { ...word, source, at }), signal)
}

/** Waits until a program with the key has answered: true; false when the time is over. Throws `words/refused`, `kube/…`. */
export async function untilObeyed(
  kube: OpenCluster,
  { metadata }: ConfigMap,
  limit: number,
  signal: AbortSignal,
): Promise<boolean> {
  const end = performance.now() + limit
  while (true) {
    const found = await kube.get(metadata.namespace, metadata.name, signal)
    // Somebody took the word back, or it was answered long ago.
    if (found === undefined) return false
    const answer = readAnswer(found)
    if (answer?.error) {
      throw new HeadraceError("words/refused", `${answer.error.message} [${answer.error.code}]`)
    }
    if (answer) return true
    if (performance.now() >= end) return false
    await delay(LOOK_MS, undefined, { signal })
  }
}
