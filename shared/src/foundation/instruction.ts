/** The words that a hint may begin with: it is an instruction. Add a verb here when none of these says it. */
export type Verb = string

/** What to do, in one sentence or more: "Give it a kubeconfig." */
export type Instruction = string
