import type { Mirror } from "../git/open-mirror.ts"
import { type CommitVerifier, openCommitVerifier } from "../git/verify/commit-verifier.ts"
import type { VerifySettings } from "../settings/git-verify.ts"
import type { OperatorSettings } from "../settings/operator-settings.ts"
import type { RevisionVerifiers } from "./run/ports.ts"

/** The verifiers of all sources, each opened once. */
export interface Verifiers {
  /** Undefined where neither the source nor the source of its rules is verified. */
  of(source: string): Promise<RevisionVerifiers | undefined>
  close(): Promise<void>
}

/**
 * Opens the verifiers that the settings ask for when they are first needed. The source of the rules is judged by its own
 * `verify`; where it has none, by that of the source which the rules are for: rules choose what of a source is written,
 * so commits that are verified would otherwise be shown as any committer of the rules likes.
 */
export function openVerifiers(
  { sources }: Pick<OperatorSettings, "sources">,
  mirror: (source: string) => Promise<Mirror>,
): Verifiers {
  const opened = new Map<string, CommitVerifier>()

  async function verifierOf(source: string, verify: VerifySettings | undefined) {
    if (verify === undefined) return undefined
    const key = JSON.stringify([source, verify])
    const repository = await mirror(source)
    const verifier = opened.get(key) ?? openCommitVerifier(() => repository.objects(), verify)
    opened.set(key, verifier)
    return verifier
  }

  return {
    async of(name) {
      const { verify, rules } = sources[name] ?? {}
      const other = rules === undefined || typeof rules === "string" ? undefined : rules.source
      const source = await verifierOf(name, verify)
      const ofRules =
        other === undefined ? undefined : await verifierOf(other, sources[other]?.verify ?? verify)
      return source || ofRules ? { source, rules: ofRules } : undefined
    },
    async close() {
      await Promise.allSettled([...opened.values()].map((verifier) => verifier.close()))
      opened.clear()
    },
  }
}
