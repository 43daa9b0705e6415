import type { PlaceOptions } from "../../cli/place-options.ts"

export interface HoldOptions extends PlaceOptions {
  commit?: string
  by: string
  reason: string
  until?: string
}
