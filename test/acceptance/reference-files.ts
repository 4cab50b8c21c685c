/** Pictures and videos that tests bring to requests, and what becomes of them. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { z } from 'zod'
import type { ReferenceKind } from '../../src/canonical/reference.ts'
import { startReceiver } from '../support/receiver.ts'
import type { TestServer } from '../support/server.ts'
import { type TestVideo, writeTestVideo } from '../support/test-video.ts'

export type Bytes = Uint8Array<ArrayBuffer>

type Colour = 'red' | 'green' | 'blue'

const BACKGROUND = { red: '#d01818', green: '#18a018', blue: '#1818d0' } as const

/** A picture of one colour; a portrait of 9:16 by default. */
export async function picture(
  colour: Colour,
  about: { format?: 'png' | 'jpeg' | 'webp' | 'gif'; width?: number; height?: number } = {},
): Promise<Bytes> {
  const { format = 'png', width = 180, height = 320 } = about
  const plain = sharp({ create: { width, height, channels: 3, background: BACKGROUND[colour] } })
  return Uint8Array.from(await plain.toFormat(format).toBuffer())
}

/** A video of so many seconds, by default 160 × 90. */
export async function clip(
  durationSeconds: number,
  about: Omit<TestVideo, 'path' | 'durationSeconds'> = {},
): Promise<Bytes> {
  const folder = await mkdtemp(join(tmpdir(), 'reelay-clip-'))
  try {
    const path = join(folder, `clip.${about.format === 'webm' ? 'webm' : 'mp4'}`)
    return Uint8Array.from(await readFile(await writeTestVideo({ ...about, path, durationSeconds })))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export function dataUri(bytes: Bytes, mimeType = 'image/png'): string {
  return `data:${mimeType};base64,${Buffer.from(bytes).toString('base64')}`
}

/** A form with files, as bytes and the header that goes with them. */
export async function formOf(
  fields: Readonly<Record<string, string | Bytes>>,
): Promise<{ body: Bytes; headers: { 'content-type': string } }> {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) {
    form.append(name, typeof value === 'string' ? value : new File([value], 'a.bin'))
  }
  const response = new Response(form)
  const contentType = response.headers.get('content-type') ?? ''
  return { body: new Uint8Array(await response.arrayBuffer()), headers: { 'content-type': contentType } }
}

const uploaded = z.object({ id: z.string().regex(/^file_[0-9a-f]{32}$/), url: z.url() })

/** Uploads by the Files API, for the dialects that take the ids and links which it gives. */
export async function upload(
  server: TestServer,
  { kind, bytes, key = server.key }: { kind: ReferenceKind; bytes: Bytes; key?: string },
): Promise<{ id: string; url: string }> {
  const body = new FormData()
  body.append('kind', kind)
  body.append('file', new File([bytes], kind === 'image' ? 'a.png' : 'a.mp4'))
  const headers = { authorization: `Bearer ${key}` }
  const answer = await fetch(`${server.url}/api/v1/files`, { method: 'POST', headers, body })
  const text = await answer.text()
  assert.equal(answer.status, 200, text)
  return uploaded.parse(JSON.parse(text))
}

/** Somebody's server from which every path gets the file. */
export async function serving(
  bytes: Bytes,
  contentType = 'image/png',
): Promise<Awaited<ReturnType<typeof startReceiver>>> {
  return await startReceiver((_received, response) => {
    response.writeHead(200, { 'content-type': contentType, 'content-length': bytes.length }).end(bytes)
    return undefined
  })
}

/** Which colour a finished video of any dialect has for the most part. */
export async function colourOf(server: TestServer, id: string, key = server.key): Promise<Colour | 'none'> {
  const headers = { authorization: `Bearer ${key}` }
  const answer = await fetch(`${server.url}/openai/v1/videos/${id}/content?variant=thumbnail`, { headers })
  assert.equal(answer.status, 200)
  const { channels } = await sharp(await answer.arrayBuffer()).stats()
  const [red = 0, green = 0, blue = 0] = channels.map(({ mean }) => mean)
  const means = { red, green, blue }
  const colours = ['red', 'green', 'blue'] as const
  return colours.find((one) => colours.every((other) => other === one || means[one] > means[other] + 40)) ?? 'none'
}
