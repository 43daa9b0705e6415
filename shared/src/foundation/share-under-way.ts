/** Two that ask for one thing at the same time share one run of it. Under one name there is always one type of value. */
export function shareUnderWay(): <Value>(name: string, start: () => Promise<Value>) => Promise<Value> {
  const underWay = new Map<string, Promise<unknown>>()
  return (name, start) => {
    const running = underWay.get(name)
    if (running !== undefined) return running as ReturnType<typeof start>
    const started = start().finally(() => underWay.delete(name))
    underWay.set(name, started)
    return started
  }
}
