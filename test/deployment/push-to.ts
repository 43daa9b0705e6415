import { createHmac, randomBytes } from "node:crypto"
import { pushEvent } from "../harness/with-plugin.ts"

/** Sends a signed push of a commit to a webhook, as GitHub does; gives the status of the answer. */
export async function pushTo(url: string, secret: string, sha: string): Promise<number> {
  const body = JSON.stringify(pushEvent(sha))
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-github-delivery": randomBytes(8).toString("hex"),
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
    },
  })
  await response.text()
  return response.status
}
