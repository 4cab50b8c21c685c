import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { newId } from '../canonical/ids.ts'
import type { TaskMedia } from '../canonical/task.ts'
import { checkLink, LINK_LIFETIME, type LinkedFile, linkTargetOf, MediaLinks, signLink } from './links.ts'

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

  it('links files of customers like those of tasks, by an ending of their type', () => {
    const expiresAt = new Date('2026-04-01T00:00:00Z')
    const file = (mimeType: string): LinkedFile => ({ id: newId('file'), mimeType, expiresAt })
    const picture = file('image/png')
    const link = parse(linksAt(now).urlOf(picture))
    assert.equal(link.file, `${picture.id}.png`)
    assert.deepEqual(linkTargetOf(link), { kind: 'file', id: picture.id })
    for (const [mimeType, ending] of Object.entries({
      'image/webp': 'webp',
      'audio/mpeg': 'mp3',
      'audio/mp4': 'm4a',
      'audio/wav': 'wav',
      'audio/aac': 'aac',
      'audio/ogg': 'ogg',
    }))
      assert.ok(linksAt(now).urlOf(file(mimeType)).includes(`.${ending}?`), mimeType)
  })

  it('knows its own links again, and what became of them', () => {
    const video = media()
    const url = linksAt(now).urlOf(video)
    const { file, expires, signature } = parse(url)
    assert.deepEqual(linksAt(now).read(url), { file, expires, verdict: 'valid' })
    assert.deepEqual(linkTargetOf({ file }), { kind: 'media', id: video.id })
    // The same URL, written in another way.
    const spelled = url.replace('https://example.com/', 'HTTPS://EXAMPLE.com:443/./')
    assert.equal(linksAt(now).read(`${spelled}#t=1`)?.verdict, 'valid')
    assert.equal(linksAt(new Date(expires * 1000)).read(url)?.verdict, 'expired')
    const forged = [
      url.replace('.mp4', '.png'),
      url.replace(/expires=\d+/, `expires=${expires + 1}`),
      url.replace(/expires=\d+/, `expires=0${expires}`),
      url.replace(/signature=.*/, 'signature='),
      `${url}&signature=${signature}`,
      'https://example.com/reelay/media/',
      `https://example.com/reelay/media/${file}`,
    ]
    for (const link of forged) assert.equal(linksAt(now).read(link)?.verdict, 'forged', link)
  })

  it('takes no other place for its own', () => {
    const url = linksAt(now).urlOf(media())
    const elsewhere = [
      url.replace('example.com', 'example.com.evil.net'),
      url.replace('example.com', 'example.com:8443'),
      url.replace('https:', 'http:'),
      url.replace('https://', 'https://evil.net/https://'),
      url.replace('https://', 'https://example.com@evil.net/'),
      url.replace('/reelay/media/', '/media/'),
      url.replace('/reelay/media/', '/reelay/media/../other/'),
      'data:image/png;base64,AAAA',
      // Fetched it is not either: too long.
      `${url}#${'a'.repeat(4_096)}`,
      'not a URL',
      '',
    ]
    for (const other of elsewhere) assert.equal(linksAt(now).read(other), undefined, other)
  })
})
