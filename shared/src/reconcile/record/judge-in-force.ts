import { canonicalJson } from "../../foundation/canonical-json.ts"
import { verificationOf } from "../../record/verification.ts"
import { keysInForce, verificationInForce } from "../decide/verify-revision.ts"
import type { Run } from "../run/run.ts"
import { type RecordState, swapRecord } from "./swap-record.ts"

/**
 * Judges again what is in force where the keys have changed, or nothing has judged it: so nothing is called verified
 * that the keys of now do not verify. `fromScratch`: whether they have changed or not, since keys expire. Gives the
 * record as it then is; undefined: it has moved on.
 */
export async function judgeInForceAgain(
  run: Run,
  state: RecordState,
  fromScratch: boolean,
): Promise<RecordState | undefined> {
  const { ports, signal } = run
  const { commit, rulesCommit } = state.record
  if (ports.verifiers === undefined || commit === null) return state
  const before = verificationOf(state.configMap, state.record)
  if (before && !fromScratch && before.keys === (await keysInForce(ports.verifiers, signal))) return state
  const lifted = before?.state === "lifted"
  const verification = await verificationInForce(ports, { commit, rulesCommit }, lifted, signal)
  if (verification === undefined || canonicalJson(verification) === canonicalJson(before)) return state
  if (verification.state === "unverified") {
    ports.log.warn({ commit, reason: verification.detail }, "what is in force is not verified")
  }
  const { kube, clock, settings, onSwap } = ports
  const { namespace } = settings
  return swapRecord({ kube, clock, namespace, onSwap }, state, state.record, signal, { verification })
}
