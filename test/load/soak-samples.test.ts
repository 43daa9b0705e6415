import { expect, it } from "vitest"
import { flatness, type Sample } from "./soak-samples.ts"

function samples(change: (at: number) => Partial<Sample>): Sample[] {
  return Array.from({ length: 20 }, (_, at) => ({
    seq: at,
    residentMegabytes: 70 + (at % 3),
    peakMegabytes: 100,
    handles: 30,
    threads: 11,
    cpuSeconds: at,
    inodes: 1000,
    leaseWrites: at * 27,
    published: at * 60,
    ...change(at),
  }))
}

function grown(change: (at: number) => Partial<Sample>): string[] {
  return flatness(samples(change)).flatMap(({ what, flat }) => (flat ? [] : [what]))
}

it("takes what goes up and down for flat, and names each figure that grows", () => {
  expect(grown(() => ({}))).toEqual([])
  expect(grown((at) => ({ residentMegabytes: 70 + at }))).toEqual(["resident MB"])
  expect(grown((at) => ({ handles: 30 + at, threads: 11 + at }))).toEqual(["handles", "threads"])
  expect(grown((at) => ({ inodes: 1000 + 20 * at }))).toEqual(["inodes"])
  expect(grown((at) => ({ leaseWrites: at * at * 10 }))).toEqual(["Lease writes between samples"])
})

it("says nothing about a soak that was too short", () => {
  expect(() => flatness(samples(() => ({})).slice(0, 2))).toThrow("too short")
})
