import type { PlaceOptions } from "../place-options.ts"

export interface AdoptOptions extends PlaceOptions {
  target?: string[]
  rule?: string[]
}
