import type { PlaceOptions } from "../../cli/place-options.ts"

export interface ApplyOptions extends PlaceOptions {
  direct: boolean
  incremental: boolean
  prune: boolean
  redisUrlFile?: string
  timeLimit: string
}
