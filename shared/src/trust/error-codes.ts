import type { ErrorMeanings } from "../foundation/errors.ts"

/** The codes that `trust` declares, as docs/reference/errors.md explains them. */
export const trustErrors = {
  "trust/bad-signature": {
    meaning:
      "A record's signature does not fit its bytes. Nothing of it is shown or written; last good stays.",
    cause:
      "Something other than a program with the key has changed the record, its annotations or its signature.",
    remedy:
      "Find out who may write records (kubectl auth can-i), then run headrace-bootstrapper keys sign once the record is right.",
  },
  "trust/key-expired": {
    meaning: "A record is signed by a key past its `expires`, or a writer's own key is. Last good stays.",
    cause: "A key that was not replaced in time.",
    remedy:
      "Make a new key (headrace-bootstrapper keys generate), add its public part to trust.keys, then sign by it.",
  },
  "trust/key-invalid": {
    meaning: "A key file cannot be used. Nothing that it would have to confirm is believed.",
    cause:
      "A file that is missing or not readable, of another kind than Ed25519, a private key in the place of a public one.",
    remedy:
      "Give the files that headrace-bootstrapper keys generate writes: FILE to writers, FILE.pub to agents.",
  },
  "trust/no-key": {
    meaning: "This machine has no key to sign a record with, so it writes none.",
    cause: "signing.keyFile is not there: the key is with the plugin and the hourly job.",
    remedy: "Run the command where the key is: in the plugin's Pod, or on a machine that has it.",
  },
  "trust/replayed": {
    meaning: "A record is an earlier one of the same token than the node has shown. Last good stays.",
    cause: "Somebody put an earlier record in the place of the present one; or a backup was restored.",
    remedy:
      "Wait for the writer's next run, which signs again; look at who may write records when it returns.",
  },
  "trust/too-old": {
    meaning: "A record was signed longer ago than `maxAge`, and this node has shown nothing newer to go by.",
    cause: "No writer has run for that long, or somebody keeps the record from being renewed.",
    remedy:
      "Start the plugin or the hourly job: each full run signs again. A node with a disk shows last good meanwhile.",
  },
  "trust/unknown-key": {
    meaning:
      "A record is signed by a key that is not among those which this program believes. Last good stays.",
    cause: "A writer was given a new key before the agents, or a key was removed from trust.keys.",
    remedy:
      "Compare headrace-bootstrapper keys show FILE with the message; add the public key to trust.keys of agents, and signing.keys of writers, if it is right.",
  },
  "trust/unsigned": {
    meaning: "A record has no signature. Last good stays.",
    cause:
      "Signing was just turned on, a writer without it or of an earlier version has written, or somebody removed it.",
    remedy: "Check the record (headrace-bootstrapper status), then run headrace-bootstrapper keys sign.",
  },
  "trust/wrong-place": {
    meaning: "A record was signed for another cluster, namespace or source. Last good stays.",
    cause:
      "Somebody has copied it there; or trust.clusters does not have the name that the writer's settings give the cluster.",
    remedy: "Compare the name in the message with trust.clusters and with clusters of the operator's file.",
  },
} as const satisfies ErrorMeanings

declare module "../foundation/errors.ts" {
  interface ErrorCodes extends Record<keyof typeof trustErrors, unknown> {}
}
