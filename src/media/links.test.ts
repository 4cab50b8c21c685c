import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { newId } from '../canonical/ids.ts'
import type { TaskMedia } from '../canonical/task.ts'
import { checkLink, LINK_LIFETIME, MediaLinks, signLink } from './links.ts'

const secret = randomBytes(32)
const now = new Date('2026-03-01T12:34:56Z')

function media(change: Partial<TaskMedia> = {}): TaskMedia {
  const size = { width: 1, height: 1, durationSeconds: 1 }
  const expiresAt = new Date('2026-04-01T00:00:00Z')
  const file = { id: newId('med'), kind: 'video', mimeType: 'video/mp4', sizeBytes: 1 } as const
  return { ...file, ...size, expiresAt, deletedAt: undefined, ...change }
}

function parse(url: string): { file: string; expires: number; signature: string } {
  const { pathname, searchParams } = new URL(url)
  const expires = Number(searchParams.get('expires'))
  return { file: pathname.split('/').at(-1) ?? '', expires, signature: searchParams.get('signature') ?? '' }
}

const linksAt = (time: Date, key = secret) =>
  new MediaLinks({ publicUrl: () => 'https://example.com/reelay/', secret: key, now: () => time })

describe('MediaLinks', () => {
  it('makes a link that it takes for valid, under the public address', () => {
    const video = media()
    const url = linksAt(now).urlOf(video)
    assert.ok(url.startsWith(`https://example.com/reelay/media/${video.id}.mp4?`), url)
    assert.equal(linksAt(now).check(parse(url)), 'valid')
  })

  it('gives the same link for an hour, one that lives at least a day', () => {
    const video = media()
    const links = ['12:00:01', '12:34:56', '13:00:00'].map((time) =>
      linksAt(new Date(`2026-03-01T${time}Z`)).urlOf(video),
    )
    assert.equal(new Set(links).size, 1)
    assert.notEqual(linksAt(new Date('2026-03-01T13:00:01Z')).urlOf(video), links[0])
    const lifetime = parse(linksAt(now).urlOf(video)).expires - now.getTime() / 1000
    assert.ok(lifetime >= LINK_LIFETIME && lifetime < LINK_LIFETIME + 3600)
  })

  it('never outlives the file', () => {
    const expiresAt = new Date('2026-03-01T15:00:00.900Z')
    assert.equal(parse(linksAt(now).urlOf(media({ expiresAt }))).expires, Date.parse('2026-03-01T15:00:00Z') / 1000)
  })

  it('expires on the second', () => {
    const link = parse(linksAt(now).urlOf(media()))
    assert.equal(linksAt(new Date(link.expires * 1000 - 1)).check(link), 'valid')
    assert.equal(linksAt(new Date(link.expires * 1000)).check(link), 'expired')
  })

  it('takes no link that was changed, signed with another secret, or made up', () => {
    const link = parse(linksAt(now).urlOf(media()))
    const forgeries = [
      { ...link, file: link.file.replace('.mp4', '.jpg') },
      { ...link, file: `${newId('med')}.mp4` },
      { ...link, expires: link.expires + 1 },
      { ...link, signature: link.signature.slice(0, -1) },
      { ...link, signature: `${link.signature}A` },
      { ...link, signature: '' },
      { ...link, signature: signLink(link, randomBytes(32)) },
      // The parts moved across their border.
      { file: `${link.file}\n1`, expires: 0, signature: link.signature },
    ]
    for (const forgery of forgeries) assert.equal(checkLink(forgery, secret, now), 'forged', JSON.stringify(forgery))
    // An expired forgery is a forgery: nothing is told about it.
    assert.equal(checkLink({ ...link, expires: 1 }, secret, now), 'forged')
  })

  it('names each kind of file by its ending and refuses a kind that is not stored', () => {
    assert.match(linksAt(now).urlOf(media({ mimeType: 'image/jpeg' })), /\.jpg\?/)
    assert.match(linksAt(now).urlOf(media({ mimeType: 'application/json' })), /\.json\?/)
    assert.throws(() => linksAt(now).urlOf(media({ mimeType: 'text/html' })), /not stored here/)
  })

  it('refuses a short secret', () => {
    assert.throws(() => linksAt(now, randomBytes(16)), /32 bytes/)
  })
})
