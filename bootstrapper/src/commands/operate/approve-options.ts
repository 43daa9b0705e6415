import type { PlaceOptions } from "../../cli/place-options.ts"

export interface ApproveOptions extends PlaceOptions {
  commit: string
}
