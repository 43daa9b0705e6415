/** Rows that a new table has room for, and slots of its hash per row. */
const FIRST_ROOM = 1024
const SLOTS_PER_ROW = 2

/**
 * A set of commit ids that remembers the order in which they were added: a row each, from 0. It costs 20 bytes and two
 * slots of a hash for each (a Set of strings costs four times as much), so a history of a million commits fits.
 */
export class CommitTable {
  readonly #width: number
  #ids: Buffer
  /** Row + 1 of the id that hashes to a slot or before it; 0: free. Open addressing, at most half full. */
  #slots: Int32Array
  #size = 0

  /** `like` is an id of the repository's hash: SHA-1 or SHA-256. */
  constructor(like: string) {
    this.#width = like.length / 2
    this.#ids = Buffer.alloc(FIRST_ROOM * this.#width)
    this.#slots = new Int32Array(FIRST_ROOM * SLOTS_PER_ROW)
  }

  /** How many ids are in it. */
  get size(): number {
    return this.#size
  }

  /** The row of a full id in hexadecimal; undefined when it is not in the table, or is of another hash. */
  rowOf(id: string): number | undefined {
    if (id.length !== this.#width * 2) return undefined
    const row = (this.#slots[this.#slotOf(Buffer.from(id, "hex"))] ?? 0) - 1
    return row < 0 ? undefined : row
  }

  /** Adds a full id in hexadecimal; one that is there keeps its row. */
  add(id: string): void {
    if (this.rowOf(id) !== undefined) return
    if ((this.#size + 1) * this.#width > this.#ids.length) this.#grow()
    const key = Buffer.from(id, "hex")
    const slot = this.#slotOf(key)
    key.copy(this.#ids, this.#size * this.#width)
    this.#size += 1
    this.#slots[slot] = this.#size
  }

  /** The slot that has this id, or the free one where it belongs. An id is a hash: its first bytes spread evenly. */
  #slotOf(key: Buffer): number {
    const mask = this.#slots.length - 1
    let slot = key.readUInt32LE(0) & mask
    for (;;) {
      const row = (this.#slots[slot] ?? 0) - 1
      if (row < 0 || this.#equals(row, key)) return slot
      slot = (slot + 1) & mask
    }
  }

  #equals(row: number, key: Buffer): boolean {
    const at = row * this.#width
    return this.#ids.compare(key, 0, this.#width, at, at + this.#width) === 0
  }

  #grow(): void {
    const ids = Buffer.alloc(this.#ids.length * 2)
    this.#ids.copy(ids)
    this.#ids = ids
    this.#slots = new Int32Array(this.#slots.length * 2)
    for (let row = 0; row < this.#size; row++) {
      const at = row * this.#width
      this.#slots[this.#slotOf(ids.subarray(at, at + this.#width))] = row + 1
    }
  }
}
