import type { PlaceOptions } from "../../cli/place-options.ts"

export interface StatusOptions extends PlaceOptions {
  fetch: boolean
  commit?: string
  pr?: string
  wait: boolean
  timeLimit: string
  redisUrlFile?: string
}
