import type { PlaceOptions } from "../../cli/place-options.ts"

export interface AdoptOptions extends PlaceOptions {
  target?: string[]
  rule?: string[]
}
