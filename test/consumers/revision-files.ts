/** Text of each file, in bytes: several blocks, so that a file that is written in place can be caught half-written. */
const TEXT_BYTES = 16 * 1024
/** Names whose whole content says the revision; a reader of several compares them. */
export const FLAT = ["conf.txt", "pair.txt"] as const
export const NESTED = ["d/e/conf.txt", "d/e/pair.txt"] as const

/** A text that states its revision at both ends: `seq N`, filler, `end N`. */
export function textOf(seq: number): string {
  const head = `seq ${seq}\n`
  const end = `end ${seq}\n`
  return `${head}${"-".repeat(TEXT_BYTES - head.length - end.length - 1)}\n${end}`
}

/** The revision of a text; `torn` when it is not whole. */
export function seqOf(text: string): number | "torn" {
  const [, first, last] = /^seq (\d+)\n-+\nend (\d+)\n$/.exec(text) ?? []
  return first !== undefined && first === last ? Number(first) : "torn"
}

/** An address that says the revision, as name servers answer it. */
export function addressOf(seq: number): string {
  return `10.${seq >> 16}.${(seq >> 8) & 255}.${seq & 255}`
}

export function seqOfAddress(address: string): number {
  const [, a = 0, b = 0, c = 0] = address.split(".").map(Number)
  return a * 65_536 + b * 256 + c
}

/**
 * The files of a revision, each in the format of a consumer: two flat texts and two nested ones, what YAML and JSON readers
 * take, and the configuration of servers.
 */
export function filesOf(seq: number): Record<string, string> {
  const text = textOf(seq)
  return {
    ...Object.fromEntries([...FLAT, ...NESTED].map((name) => [name, text])),
    "app.yaml": `first: ${seq}\nfiller: ${"-".repeat(TEXT_BYTES)}\nlast: ${seq}\n`,
    "d/e/app.yaml": `first: ${seq}\nfiller: ${"-".repeat(TEXT_BYTES)}\nlast: ${seq}\n`,
    "hosts/hosts": `${addressOf(seq)} revision.test\n`,
    "nginx.conf": `location = /revision { return 200 "${seq}"; }\n`,
    "haproxy.txt": `${seq}\n`,
    "targets.json": JSON.stringify([{ targets: ["127.0.0.1:9"], labels: { seq: `${seq}` } }]),
    "d/e/targets.json": JSON.stringify([{ targets: ["127.0.0.1:9"], labels: { seq: `${seq}` } }]),
    "rules.yaml": rules(seq),
  }
}

function rules(seq: number): string {
  return `groups:\n- name: revision\n  rules:\n  - alert: Revision\n    expr: vector(0) > 1\n    labels: {seq: "${seq}"}\n`
}
