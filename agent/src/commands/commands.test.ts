import { spawnSync } from "node:child_process"
import fs from "node:fs"
import { join } from "node:path"
import { kubeErrors } from "@headrace/shared/kube/error-codes"
import { programArguments } from "@headrace/test/harness/program-arguments"
import { withFolder } from "@headrace/test/harness/with-folder"
import { describe, expect, it } from "vitest"

const AGENT = `version: 1
record: headrace/release
projections:
  jobs: {path: /nowhere/jobs, from: [{configMap: ci/jobs}]}
`
/** Nothing listens at port 1 (IANA: tcpmux). */
const NO_SERVER = `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`

function agent(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [...programArguments("agent"), ...args], { encoding: "utf8" })
}

describe("headrace-agent", () => {
  it("refuses to publish a folder into itself, and writes nothing", async () => {
    await withFolder((folder) => {
      fs.writeFileSync(join(folder, "a"), "1")

      const refused = agent("publish", "--from", folder, "--to", join(folder, "inside"))

      expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining("publish/nested") })
      expect(fs.readdirSync(folder)).toEqual(["a"])
    })
  })

  it.each(["file", "file/inside"])("refuses to publish to %s, where no folder can be", async (place) => {
    await withFolder((folder) => {
      fs.mkdirSync(join(folder, "from"))
      fs.writeFileSync(join(folder, "from/a"), "1")
      fs.writeFileSync(join(folder, "file"), "kept")

      const refused = agent("publish", "--from", join(folder, "from"), "--to", join(folder, place))

      expect(refused).toMatchObject({ status: 2, stdout: "" })
      expect(refused.stderr).toContain("[disk/not-a-folder]\n  Give --to ")
      expect(fs.readFileSync(join(folder, "file"), "utf8")).toBe("kept")
    })
  })

  it("says what to do about an error that brings no hint, as the reference does", async () => {
    await withFolder((folder) => {
      fs.writeFileSync(join(folder, "agent.yaml"), AGENT)
      fs.writeFileSync(join(folder, "kubeconfig"), NO_SERVER)

      const { status, stderr } = agent(
        ...["check", "--config", join(folder, "agent.yaml"), "--kubeconfig", join(folder, "kubeconfig")],
      )

      expect(status).toBe(1)
      expect(stderr).toContain(`[kube/unavailable]\n  ${kubeErrors["kube/unavailable"].remedy}\n`)
    })
  })

  it("publishes a folder, lists it, rolls back, unpins, verifies and leases", async () => {
    await withFolder((folder) => {
      const [from, to] = [join(folder, "from"), join(folder, "to")]
      fs.mkdirSync(join(from, "d"), { recursive: true })
      fs.writeFileSync(join(from, "d/run"), "#!/bin/sh\n", { mode: 0o755 })
      fs.writeFileSync(join(from, "a"), "1")
      const publish = (...more: string[]) =>
        agent("publish", "--from", from, "--to", to, "--keep-age", "0s", ...more)

      const first = JSON.parse(publish("--revision", "r1").stdout)
      expect(first).toMatchObject({
        revision: "r1",
        path: join(to, "..rev/0001/r1"),
        files_written: 2,
        files_linked: 0,
      })
      expect(first.ms).toBeGreaterThan(0)
      fs.writeFileSync(join(from, "a"), "2")
      const second = JSON.parse(publish("--durability", "syncfs").stdout)
      expect(second).toMatchObject({
        files_written: 1,
        files_linked: 1,
        revision: expect.stringMatching(/^[0-9a-f]{64}$/),
      })
      expect(JSON.parse(publish().stdout)).toMatchObject({ revision: second.revision, files_written: 0 })

      expect(JSON.parse(agent("rollback", to).stdout)).toEqual({ number: 1, revision: "r1", pinned: true })
      expect(publish()).toMatchObject({ status: 1, stderr: expect.stringContaining("unpin") })
      expect(JSON.parse(agent("list", to).stdout)).toMatchObject([
        { number: 1, shown: true, pinned: true },
        { number: 2, shown: false, pinned: false },
      ])
      expect(JSON.parse(agent("unpin", to).stdout)).toEqual({ pinned: false, changed: true })
      expect(JSON.parse(agent("verify", to).stdout)).toEqual({
        number: 1,
        revision: "r1",
        files: 2,
        damaged: [],
      })
      fs.chmodSync(join(to, "a"), 0o600)
      expect(agent("verify", to)).toMatchObject({
        status: 1,
        stdout: expect.stringContaining('"damaged":["a"]'),
      })
      const leased = agent("lease", to, "--", "sh", "-c", 'echo "$HEADRACE_REVISION"; exit 7')
      expect(leased).toMatchObject({ status: 7, stdout: "r1\n" })
    })
  })

  it.each([
    [["publish", "--from", "/nowhere-at-all", "--to", "/tmp/never-made"], "cannot read the folder"],
    [["publish", "--from", "/tmp"], "--to"],
    [["publish", "--from", "/tmp", "--to", "/tmp/never-made", "--keep", "0"], "expected a number from 1"],
    [["list", "/nowhere-at-all"], "is no projection"],
    [["no-such-command"], ""],
    [[], "nothing to run"],
  ])("ends with 2 when it is misused: %j", (args, message) => {
    const { status, stderr } = agent(...args)

    expect(status).toBe(2)
    expect(stderr).toContain(message)
    expect(fs.existsSync("/tmp/never-made")).toBe(false)
  })
})
