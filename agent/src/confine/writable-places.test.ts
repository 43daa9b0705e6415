import { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { expect, it } from "vitest"
import { writablePlaces } from "./writable-places.ts"

const from = [{ git: { url: "https://example.com/a/b", branch: "main" } }]

function placesOf(settings: object): [string, string][] {
  const parsed = AgentSettings.parse({ version: 1, ...settings })
  return writablePlaces(parsed).map(({ path, kind }): [string, string] => [path, kind])
}

it("are the folders of projections, and where they are replaced whole the one above", () => {
  const projections = {
    a: { path: "/srv/a", from, workFolder: "/srv/.work" },
    b: { path: "/opt/b", from, layout: "exchange" },
    c: { path: "/etc/c/file", from, layout: "file" },
  }

  expect(placesOf({ projections })).toEqual([
    ["/srv/a", "folder"],
    ["/srv/.work", "folder"],
    ["/opt", "folder"],
    ["/etc/c", "folder"],
    ["/var/cache/headrace", "folder"],
  ])
})

it("are also those of touched files, of new host keys, of every target, and what the settings name", () => {
  const auth = { sshKeyFile: "/keys/ssh", sshKnownHostsFile: "/keys/known", sshHostKeys: "accept-new" }
  const git = { url: "git@example.com:a/b", branch: "main", auth }
  const settings = {
    record: "headrace/release",
    mirrors: "/mirrors",
    projections: { a: { path: "/srv/a", from: [{ git }], notify: [{ touch: "/run/a/changed" }] } },
    everyTarget: { path: "/srv/all", notify: [{ touch: "/run/all/changed" }] },
    confinement: { writable: ["/var/log/consumer"] },
  }

  expect(placesOf(settings)).toEqual([
    ["/srv/a", "folder"],
    ["/srv/all", "folder"],
    ["/mirrors", "folder"],
    ["/run/a", "folder"],
    ["/run/all", "folder"],
    ["/var/log/consumer", "folder"],
    ["/keys/known", "file"],
  ])
})

it("are no mirrors without a git source", () => {
  const live = [{ live: { configMap: "a/b" } }]

  expect(placesOf({ projections: { a: { path: "/srv/a", from: live } } })).toEqual([["/srv/a", "folder"]])
})
