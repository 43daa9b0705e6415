import { z } from "zod"
import { Bytes, Wait } from "./units.ts"

const count = (most: number) => z.int().min(1).prefault(most)

const SOCKETS =
  "Sockets of one port at a time. One more closes the one that has been idle for longest, or is refused where none is."
const SOCKETS_OF_ADDRESS = "Of them, sockets from one address. A proxy or an ingress is one address."

const requests = {
  headers: Bytes.prefault("16Ki").describe("Bytes of a request's headers; more is answered with 431."),
  headersWithin: Wait.prefault("5s").describe("How long a sender may take for its headers."),
  requestWithin: Wait.prefault("20s").describe("How long a sender may take for a whole request."),
}

/**
 * What one merge, one rules file, one cluster, one Redis or one sender may cost the plugin and the bootstrapper. The
 * defaults stay within the memory limits of config/base; docs/reference/bounds.md has the metric and error of each.
 */
export const WriterBounds = z
  .strictObject({
    file: Bytes.prefault("32Mi").describe(
      "Bytes of one file. A larger one fails the targets that it goes to.",
    ),
    target: Bytes.prefault("256Mi").describe("Bytes of the files of one target. A larger one fails."),
    change: Bytes.prefault("512Mi").describe(
      "Bytes of new content that one reconcile writes in a cluster. Beyond it the targets with the most wait, until an operator raises it.",
    ),
    files: count(250_000).describe("Files of one commit. A commit with more stops its source."),
    rulesFile: Bytes.prefault("2Mi").describe("Bytes of a rules file. A larger one stops its source."),
    targets: count(20_000).describe(
      "ConfigMaps that one rules file may name: names times places, counted before they are expanded. More stop its source.",
    ),
    contents: Bytes.prefault("64Mi").describe(
      "Bytes of files that are in memory at one time, over all clusters. More wait for their turn; a file larger than this goes alone.",
    ),
    answer: Bytes.prefault("32Mi").describe(
      "Bytes of one answer of an API server, GitHub or a check, unpacked. A list is asked for again in smaller pages.",
    ),
    list: Bytes.prefault("192Mi").describe("Bytes of all pages of one list of an API server."),
    redisReply: Bytes.prefault("32Mi").describe(
      "Bytes of one reply of Redis. A larger one closes the connection, and the keys that it was of are deleted.",
    ),
    body: Bytes.prefault("25Mi").describe(
      "Bytes of the body of a webhook delivery; 25 MiB is the most that GitHub sends.",
    ),
    bodies: Bytes.prefault("75Mi").describe(
      "Bytes of all bodies of more than 64 KiB that are being received. More are answered with 503, and GitHub shows them as failed.",
    ),
    connections: count(1000).describe(SOCKETS),
    connectionsPerAddress: count(250).describe(SOCKETS_OF_ADDRESS),
    ...requests,
  })
  .prefault({})
export type WriterBounds = z.infer<typeof WriterBounds>

/** What a writer, a store, a cluster, a git server or a sender may cost an agent. */
export const AgentBounds = z
  .strictObject({
    file: Bytes.prefault("32Mi").describe(
      "Bytes of one file. A larger one fails its origin, which keeps what it shows. Not less than the operator's `bounds.file`.",
    ),
    files: count(50_000).describe("Files of one origin. More fail it."),
    contents: Bytes.prefault("48Mi").describe(
      "Bytes of files that are in memory at one time, over all projections. More wait for their turn; a file larger than this goes alone.",
    ),
    answer: Bytes.prefault("16Mi").describe(
      "Bytes of one answer of the API server, unpacked. A list is asked for again in smaller pages.",
    ),
    list: Bytes.prefault("48Mi").describe(
      "Bytes of the objects that one `live` origin selects in a namespace, and of the pages of one list. More fail it; what is published stays.",
    ),
    connections: count(200).describe(SOCKETS),
    connectionsPerAddress: count(100).describe(SOCKETS_OF_ADDRESS),
    ...requests,
  })
  .prefault({})
export type AgentBounds = z.infer<typeof AgentBounds>

/** The bounds of a program without settings of its own. */
export const DEFAULT_WRITER_BOUNDS: WriterBounds = WriterBounds.parse({})
export const DEFAULT_AGENT_BOUNDS: AgentBounds = AgentBounds.parse({})
