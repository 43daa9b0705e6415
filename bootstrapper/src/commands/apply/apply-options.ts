import type { PlaceOptions } from "../place-options.ts"

export interface ApplyOptions extends PlaceOptions {
  direct: boolean
  incremental: boolean
  prune: boolean
  redisUrlFile?: string
  timeLimit: string
}
