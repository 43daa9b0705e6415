import { expect, it } from "vitest"
import { githubEvent } from "../harness/github-events.ts"
import { until } from "../harness/until.ts"
import { withMergeSite } from "../harness/with-merge-site.ts"

const RULES = "config_updater: {maps: {'jobs/*.yaml': {name: jobs, clusters: {build01: [ci]}}}}\n"
const MERGES = [11, 12, 13]

it(
  "says once what became of each merge, though two plugins hear of each twice, one is restarted, and GitHub fails",
  {
    timeout: 180_000,
  },
  () =>
    withMergeSite({ "rules.yaml": RULES, "jobs/a.yaml": "a: 0\n" }, async (site) => {
      const { github, repo } = site
      await site.start()
      let endSecond = await site.startAnother()
      // A lost answer to a comment that was made, errors of the server, and a rate limit.
      let posts = 0
      github.fault = ({ method, path, count }) => {
        if (method === "POST" && path.endsWith("/comments") && ++posts === 1) return "lose"
        if (path.endsWith("/pulls/12/files") && count === 1) return { refuse: 502 }
        if (path.endsWith("/issues/13/comments") && count === 1)
          return { refuse: 429, headers: { "retry-after": "1" } }
        return undefined
      }
      for (const number of MERGES) {
        const path = `jobs/${number}.yaml`
        const sha = await repo.merge({ [path]: `of: ${number}\n` })
        github.filesOf.set(`openshift/release#${number}`, [{ filename: path, status: "added" }])
        const merged = githubEvent.merged({ sha, number })
        const guid = `delivery-of-${number}`
        // Its own webhook, Prow's hook with another id, and the first once more at the other plugin.
        const [own] = await Promise.all([
          site.deliver("pull_request", merged, { guid, to: 0 }),
          site.deliver("pull_request", merged, { to: 1 }),
          site.deliver("push", githubEvent.push({ sha }), { to: 1 }),
        ])
        expect(own.result).toBe("accepted")
        expect((await site.deliver("pull_request", merged, { guid, to: 1 })).result).toBe("duplicate")
        if (number !== MERGES[1]) continue
        await endSecond()
        endSecond = await site.startAnother()
      }
      const bodies = (number: number) =>
        (github.comments.get(`openshift/release#${number}`) ?? []).map(({ body }) => body)
      // No node reports here: what is written is not live yet (docs/decisions/070).
      const written = () => github.statuses.filter((one) => one.includes(" pending: written to 1/1 clusters"))
      await until(() => new Set(written()).size === MERGES.length, 60_000)
      for (const number of MERGES) {
        expect(site.shown("jobs")[`${number}.yaml`]).toBe(`of: ${number}\n`)
        expect(bodies(number)).toEqual([
          `Updated the \`jobs\` configmap in namespace \`ci\` at cluster \`build01\` using the following files:\n - key \`${number}.yaml\` using file \`jobs/${number}.yaml\`\n\n<!-- headrace: openshift/release#${number} -->`,
        ])
      }
      expect(new Set(github.statuses).size).toBe(MERGES.length)
    }),
)
