const places = new WeakMap<object, string>()

/** Notes where in its file a mapping of the settings is written, `file:line:column`, for messages that come later. */
export function noteSettingPlace(setting: object, place: string): void {
  places.set(setting, place)
}

/** Where a mapping of the settings is written; undefined for one that no file has as it is. */
export function placeOfSetting(setting: object): string | undefined {
  return places.get(setting)
}
