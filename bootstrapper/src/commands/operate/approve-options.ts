import type { PlaceOptions } from "../place-options.ts"

export interface ApproveOptions extends PlaceOptions {
  commit: string
}
