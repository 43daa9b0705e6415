import type { IncomingMessage, Server } from "node:http"
import type { Socket } from "node:net"
import { noteBreach } from "./bound-breaches.ts"
import type { Log } from "./log.ts"

/** How many sockets a port has at a time. */
export interface ConnectionLimits {
  connections: number
  /** Of them, from one address. */
  connectionsPerAddress: number
}

/** A socket of the port. */
interface Guest {
  socket: Socket
  address: string
  /** What is being received, or answered, of it. */
  requests: Set<IncomingMessage>
}

/** A sender that dribbles its headers or its body is as idle as one that sends nothing. */
function isIdle({ requests }: Guest): boolean {
  return ![...requests].some((request) => request.complete)
}

/** Between two log lines of one port: an attack must not fill the log. */
const LOG_EVERY_MS = 10_000

/**
 * Keeps the sockets of a server within limits, for each address and in total. A new one beyond them closes the one that
 * has been idle for longest, of its own address where that has too many; where each is being answered the new one is
 * refused. So senders that hold sockets open keep neither other senders nor probes from being answered.
 */
export function limitConnections(server: Server, first: ConnectionLimits, log: Log) {
  let limits = first
  /** The longest idle ones first: one that becomes idle goes to the end. */
  const guests = new Map<Socket, Guest>()
  const perAddress = new Map<string, number>()
  let logged = Number.NEGATIVE_INFINITY

  function leave(socket: Socket): void {
    const guest = guests.get(socket)
    if (guest === undefined) return
    guests.delete(socket)
    const left = (perAddress.get(guest.address) ?? 1) - 1
    if (left === 0) perAddress.delete(guest.address)
    else perAddress.set(guest.address, left)
  }

  /** True when there is room for one more socket of this address. */
  function makeRoom(address: string): boolean {
    const ofAddress = (perAddress.get(address) ?? 0) >= limits.connectionsPerAddress
    if (!ofAddress && guests.size < limits.connections) return true
    report(ofAddress ? "connectionsPerAddress" : "connections", address)
    for (const guest of guests.values()) {
      if (!isIdle(guest) || (ofAddress && guest.address !== address)) continue
      leave(guest.socket)
      guest.socket.destroy()
      return true
    }
    return false
  }

  function report(bound: keyof ConnectionLimits, address: string): void {
    noteBreach(bound, "port")
    if (performance.now() - logged < LOG_EVERY_MS) return
    logged = performance.now()
    log.warn(
      { bound: `bounds.${bound}`, address, sockets: perAddress.get(address) ?? 0, all: guests.size },
      "too many connections: the one that is idle for longest is closed",
    )
  }

  server.on("connection", (socket) => {
    const address = socket.remoteAddress ?? ""
    if (!makeRoom(address)) return void socket.destroy()
    guests.set(socket, { socket, address, requests: new Set() })
    perAddress.set(address, (perAddress.get(address) ?? 0) + 1)
    socket.once("close", () => leave(socket))
  })
  server.on("request", (request, response) => {
    const guest = guests.get(request.socket)
    if (guest === undefined) return
    guest.requests.add(request)
    response.once("close", () => {
      guest.requests.delete(request)
      if (!guests.delete(guest.socket)) return
      guests.set(guest.socket, guest)
    })
  })
  return {
    limit(next: ConnectionLimits): void {
      limits = next
    },
  }
}
