/**
 * How many answers of a cluster's nodes are wanted after a start, one for each read of the record. The first is not enough:
 * a restore of etcd puts Leases back with the records, and agents have written theirs again within two minutes.
 */
const ANSWERS_WANTED = 5

/**
 * A function that asks until a place has answered five times, and then no more. `ask` gives whether there was an answer: a
 * server that is away while a program starts, as after a restore, is asked again at the next read.
 */
export function askAtStart(): (place: string, ask: () => Promise<boolean>) => Promise<void> {
  const answers = new Map<string, number>()
  return async (place, ask) => {
    const before = answers.get(place) ?? 0
    if (before < ANSWERS_WANTED && (await ask())) answers.set(place, before + 1)
  }
}
