import { execFile } from "node:child_process"
import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)
/** Names under which distributions install it. */
const NAMES = ["chromium", "chromium-browser", "google-chrome"]
/** On a machine with a dozen times the work that it can do. */
const LIMIT_MS = 120_000
const SCRIPT_MS = 20_000

/** The browser's path; undefined: there is none on the machine. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter)
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export interface Look {
  scheme: "light" | "dark"
  width: number
  height: number
}

/** Writes what a reader of the page would see, as a PNG. */
export async function screenshot(
  browser: string,
  page: string,
  image: string,
  { scheme, width, height }: Look,
): Promise<void> {
  await run(
    browser,
    [...flags(page, scheme), `--window-size=${width},${height}`, `--screenshot=${image}`, `file://${page}`],
    {
      timeout: LIMIT_MS,
    },
  )
}

/** Writes what a printer gets, as a PDF, for a reader whose screen has this scheme. */
export async function printed(
  browser: string,
  page: string,
  pdf: string,
  scheme: Look["scheme"],
): Promise<void> {
  const how = [`--print-to-pdf=${pdf}`, "--no-pdf-header-footer"]
  await run(browser, [...flags(page, scheme), ...how, `file://${page}`], { timeout: LIMIT_MS })
}

/** The page's HTML once its scripts have run. */
export async function settledHtml(browser: string, page: string, scheme: Look["scheme"]): Promise<string> {
  const budget = `--virtual-time-budget=${SCRIPT_MS}`
  const { stdout } = await run(browser, [...flags(page, scheme), budget, "--dump-dom", `file://${page}`], {
    timeout: LIMIT_MS,
    maxBuffer: 2 ** 26,
  })
  return stdout
}

/** Root runs it without its sandbox; the page is our own. */
function flags(page: string, scheme: Look["scheme"]): string[] {
  const dark =
    scheme === "dark"
      ? ["--blink-settings=preferredColorScheme=0"]
      : ["--blink-settings=preferredColorScheme=1"]
  return [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    `--user-data-dir=${page}.profile`,
    ...dark,
  ]
}
