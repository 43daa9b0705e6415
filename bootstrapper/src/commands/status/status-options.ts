import type { PlaceOptions } from "../place-options.ts"

export interface StatusOptions extends PlaceOptions {
  fetch: boolean
  commit?: string
  pr?: string
  wait: boolean
  timeLimit: string
  redisUrlFile?: string
}
