import { readFileSync } from 'node:fs'
import { z } from 'zod'

const PACKAGE_FILE = new URL('../../package.json', import.meta.url)

const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(PACKAGE_FILE, 'utf8')))

/**
 * How Reelay names itself to whomever it calls: `Reelay/0.1.0 (+https://video.example.com)`. Some hosts refuse a program
 * that gives no address where its operator can be found; without a public URL there is none to give.
 */
export function userAgent(publicUrl?: string): string {
  return publicUrl === undefined ? `Reelay/${version}` : `Reelay/${version} (+${publicUrl})`
}
