import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createTcpServer } from 'node:net'
import process from 'node:process'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { type Receiver, startReceiver } from '../../test/support/receiver.ts'
import { MAX_URL_CHARACTERS } from '../canonical/url-limit.ts'
import { checkUrl } from './check-url.ts'
import { FetchError, type FetchErrorReason } from './fetch-error.ts'
import { type FetchPolicy, fetchPolicy } from './fetch-policy.ts'
import { fetchUntrusted, type UntrustedRequest } from './fetch-untrusted.ts'
import { isPublicAddress } from './public-address.ts'

const NOWHERE_PRIVATE = fetchPolicy([])
const LOOPBACK = fetchPolicy(['127.0.0.0/8'])

/** Every way to write 127.0.0.1, and other places that are not for customers; `PORT` is the victim's. */
const FORBIDDEN = [
  'https://127.0.0.1:PORT/',
  'https://127.0.0.1./',
  'https://127.1:PORT/',
  'https://127.0.1/',
  'https://2130706433:PORT/',
  'https://0x7f000001:PORT/',
  'https://0x7f.0.0.1:PORT/',
  'https://0177.0.0.1:PORT/',
  'https://017700000001:PORT/',
  'https://127.0.0.01/',
  'https://%31%32%37.0.0.1:PORT/',
  'https://１２７.０.０.１:PORT/',
  'https://127。0。0。1/',
  'https://0.0.0.0:PORT/',
  'https://0:PORT/',
  'https://[::1]:PORT/',
  'https://[::]:PORT/',
  'https://[0:0:0:0:0:0:0:1]/',
  'https://[::ffff:127.0.0.1]:PORT/',
  'https://[::ffff:7f00:1]:PORT/',
  'https://[::127.0.0.1]/',
  'https://[64:ff9b::127.0.0.1]/',
  'https://[64:ff9b:1::10.0.0.1]/',
  'https://[2002:7f00:1::]/',
  'https://[2001:0:7f00:1::]/',
  'https://[fe80::1]/',
  'https://[fc00::1]/',
  'https://[fd00:ec2::254]/',
  'https://[ff02::1]/',
  'https://[fec0::1]/',
  'https://[2001:db8::1]/',
  'https://169.254.169.254/latest/meta-data/',
  'https://168.63.129.16/',
  'https://100.100.100.200/',
  'https://100.64.0.1/',
  'https://10.0.0.1/',
  'https://172.16.0.1/',
  'https://192.168.1.1/',
  'https://192.0.0.192/',
  'https://198.18.0.1/',
  'https://224.0.0.1/',
  'https://240.0.0.1/',
  'https://255.255.255.255/',
  'https://localhost:PORT/',
  'https://LOCALHOST/',
  'https://localhost./',
  'https://app.localhost/',
  'https://printer.local/',
  'https://vault.internal/',
  'https://intranet/',
  'https://user@127.0.0.1:PORT/',
  'https://user:password@example.com/',
  'https://example.com@127.0.0.1:PORT/',
  'https://example.com:25/',
  'https://example.com:6379/',
  'https://example.com:80/',
  'https://example.com:9443/',
  'http://example.com/',
  'http://127.0.0.1:PORT/',
  'http://93.184.215.14/',
  'https://93.184.215.14:22/',
  'ftp://example.com/',
  'file:///etc/passwd',
  'gopher://127.0.0.1:PORT/_x',
  'data:text/plain,x',
  'javascript:alert(1)',
  'unix:/var/run/docker.sock',
  '//127.0.0.1:PORT/',
  '/etc/passwd',
  'https://',
  'https:///',
  'https://exa mple.com/',
  'https://example.com\\@127.0.0.1/',
  'https://example.com/\r\nHost: 127.0.0.1',
  'https://exam\tple.com/',
  ' https://example.com/',
  `https://example.com/${'a'.repeat(MAX_URL_CHARACTERS)}`,
  '',
]

const ALLOWED = [
  'https://example.com/',
  'https://example.com:443/a?b=c',
  'https://example.com:8443/',
  'HTTPS://EXAMPLE.COM/x',
  'https://93.184.215.14/',
  'https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/',
  'https://пример.рф/путь',
  'https://hooks.example.com/a/b#fragment',
]

const QUICK: Pick<UntrustedRequest, 'method' | 'timeoutMs' | 'maxBytes'> = {
  method: 'GET',
  timeoutMs: 5_000,
  maxBytes: 1_000_000,
}

async function fails(attempt: Promise<unknown>, reason: FetchErrorReason): Promise<FetchError> {
  const error = await attempt.then(
    () => assert.fail(`there was an answer instead of ${reason}`),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof FetchError, String(error))
  assert.equal(error.reason, reason, error.message)
  return error
}

async function textOf(request: Partial<UntrustedRequest> & { url: string }, policy: FetchPolicy): Promise<string> {
  await using answer = await fetchUntrusted({ ...QUICK, ...request }, policy)
  const chunks: Buffer[] = []
  for await (const chunk of answer.body) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** A loopback address of one's own, where a port that is not refused for its number is free. */
function ownLoopback(): string {
  return `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`
}

/** On a port of https, so that only its address stands between it and a call. */
function startVictim(host = ownLoopback()): Promise<Receiver> {
  return startReceiver(200, { host, port: 8443 })
}

describe('the URL as it is written', () => {
  for (const text of FORBIDDEN) {
    test(`refuses ${JSON.stringify(text.slice(0, 60))}`, () => {
      const verdict = checkUrl(text.replace('PORT', '8443'), NOWHERE_PRIVATE)
      assert.equal(verdict.kind, 'refused')
      assert.equal(checkUrl(text.replace('PORT', '31337'), NOWHERE_PRIVATE).kind, 'refused')
    })
  }

  for (const text of ALLOWED) {
    test(`accepts ${text}`, () => assert.equal(checkUrl(text, NOWHERE_PRIVATE).kind, 'accepted'))
  }

  test('gives a normalized URL without fragment', () => {
    const verdict = checkUrl('HTTPS://Example.COM:443/a?b#c', NOWHERE_PRIVATE)
    assert.equal(verdict.kind === 'accepted' && verdict.url.href, 'https://example.com/a?b')
  })

  test('allowed networks, and nothing else, may be reached by plain http and on any port', () => {
    const policy = fetchPolicy(['127.0.0.0/8', 'fd00::/8'])
    for (const url of [
      'http://127.0.0.1:31337/',
      'https://127.9.9.9:22/',
      'http://[::ffff:127.0.0.1]:1/',
      'http://[fd00::1]/',
    ])
      assert.equal(checkUrl(url, policy).kind, 'accepted', url)
    for (const url of [
      'http://10.0.0.1/',
      'http://[::1]/',
      'https://192.168.0.1/',
      'http://93.184.215.14/',
      'ftp://127.0.0.1/',
    ])
      assert.equal(checkUrl(url, policy).kind, 'refused', url)
  })

  test('no spelling of a private address passes for another', () => {
    const octet = fc.integer({ min: 0, max: 255 })
    const first = fc.constantFrom([127], [10], [0], [169, 254], [192, 168], [172, 16], [100, 64], [224], [255])
    const spell = fc.constantFrom<(parts: number[]) => string>(
      (parts) => parts.join('.'),
      (parts) => parts.map((part) => `0x${part.toString(16)}`).join('.'),
      (parts) => parts.map((part) => `0${part.toString(8)}`).join('.'),
      (parts) => String(Buffer.from(parts).readUInt32BE()),
      (parts) => `0x${Buffer.from(parts).toString('hex')}`,
      (parts) => `${parts[0]}.${Buffer.from([0, ...parts.slice(1)]).readUInt32BE()}`,
      (parts) => `[::ffff:${parts.join('.')}]`,
      (parts) => `[64:ff9b::${parts.join('.')}]`,
      (parts) => `[::${parts.join('.')}]`,
      (parts) => `[2002:${Buffer.from(parts).toString('hex', 0, 2)}:${Buffer.from(parts).toString('hex', 2)}::1]`,
    )
    fc.assert(
      fc.property(first, octet, octet, octet, spell, (start, a, b, c, spelling) => {
        const url = `https://${spelling([...start, a, b, c].slice(0, 4))}/`
        assert.equal(checkUrl(url, NOWHERE_PRIVATE).kind, 'refused', url)
      }),
      { numRuns: 2_000 },
    )
  })

  test('an address with a zone, and what is no address, is not public', () => {
    for (const address of ['fe80::1%lo', '', 'example.com', '1.2.3', '::'])
      assert.equal(isPublicAddress(address), false)
  })
})

describe('a call', () => {
  test('reaches no forbidden place: a victim that listens there is not even dialled', async () => {
    await using victim = await startVictim('127.0.0.1')
    for (const text of FORBIDDEN) {
      await fails(fetchUntrusted({ ...QUICK, url: text.replace('PORT', '8443') }, NOWHERE_PRIVATE), 'url_refused')
    }
    assert.equal(victim.connections(), 0)
    await textOf({ url: 'http://127.0.0.1:8443/' }, LOOPBACK)
    assert.equal(victim.connections(), 1, 'the victim counts')
  })

  test('is refused when the name leads to a private address, whatever a check before has seen', async () => {
    const host = ownLoopback()
    await using victim = await startVictim(host)
    for (const addresses of [[host], ['::1'], [`::ffff:${host}`], ['169.254.169.254'], [host, '10.0.0.1']]) {
      const policy = { ...NOWHERE_PRIVATE, resolve: async () => addresses }
      const error = await fails(
        fetchUntrusted({ ...QUICK, url: 'https://rebind.example.com:8443/' }, policy),
        'address_refused',
      )
      assert.equal(error.sent, 'no')
      assert.ok(!addresses.some((address) => error.message.includes(address)), error.message)
    }
    assert.equal(victim.connections(), 0)
  })

  test('dials what it has judged: the name is resolved once for each connection', async () => {
    await using good = await startReceiver(200)
    await using victim = await startReceiver(200, { host: '127.0.0.2', port: good.port })
    let asked = 0
    const policy: FetchPolicy = {
      ...fetchPolicy(['127.0.0.1/32']),
      resolve: async () => [asked++ === 0 ? '127.0.0.1' : '127.0.0.2'],
    }
    await textOf({ url: `http://rebind.example.com:${good.port}/` }, policy)
    await fails(fetchUntrusted({ ...QUICK, url: `http://rebind.example.com:${good.port}/` }, policy), 'address_refused')
    assert.deepEqual([asked, good.connections(), victim.connections()], [2, 1, 0])
  })

  test('of a name with permitted and other addresses dials the permitted ones', async () => {
    await using good = await startReceiver(200)
    await using victim = await startReceiver(200, { host: '127.0.0.2', port: good.port })
    const policy = { ...fetchPolicy(['127.0.0.1/32']), resolve: async () => ['127.0.0.2', '127.0.0.1'] }
    await textOf({ url: `http://both.example.com:${good.port}/` }, policy)
    assert.deepEqual([good.connections(), victim.connections()], [1, 0])
  })

  test('by plain http reaches allowed networks only, also through a name', async () => {
    const policy = { ...LOOPBACK, resolve: async () => ['93.184.215.14'] }
    await fails(fetchUntrusted({ ...QUICK, url: 'http://example.com/' }, policy), 'address_refused')
    await fails(fetchUntrusted({ ...QUICK, url: 'https://example.com:6379/' }, policy), 'address_refused')
  })

  test('says that a name has no address', async () => {
    const policy = { ...NOWHERE_PRIVATE, resolve: async () => [] }
    await fails(fetchUntrusted({ ...QUICK, url: 'https://no.example.com/' }, policy), 'unresolved')
  })

  test('finds localhost without asking a name server', async () => {
    await using server = await startReceiver(200)
    await textOf({ url: `http://localhost:${server.port}/` }, LOOPBACK)
    assert.equal(server.connections(), 1)
  })

  test('takes no proxy from the environment', async (t) => {
    await using proxy = await startReceiver(200)
    await using server = await startReceiver(200)
    t.after(() => {
      for (const name of ['http_proxy', 'HTTP_PROXY', 'NODE_USE_ENV_PROXY']) delete process.env[name]
    })
    Object.assign(process.env, { http_proxy: proxy.url, HTTP_PROXY: proxy.url, NODE_USE_ENV_PROXY: '1' })
    await textOf({ url: server.url }, LOOPBACK)
    assert.deepEqual([proxy.connections(), server.connections()], [0, 1])
  })
})

describe('redirects', () => {
  const to = (location: string, status = 302) =>
    startReceiver((_, response) => {
      response.writeHead(status, { location }).end()
      return undefined
    })

  test('are an answer like any other unless asked for', async () => {
    await using victim = await startReceiver(200)
    await using server = await to(victim.url)
    await using answer = await fetchUntrusted({ ...QUICK, url: server.url }, LOOPBACK)
    assert.equal(answer.status, 302)
    assert.equal(victim.connections(), 0)
  })

  test('to a private address, to another scheme or port are refused, and nobody is dialled', async () => {
    await using victim = await startVictim()
    const policy = { ...fetchPolicy(['127.0.0.1/32']), resolve: async () => [new URL(victim.url).hostname] }
    const inner = victim.url.replace('http:', 'https:')
    for (const location of [
      inner,
      victim.url,
      inner.replace('https:', ''),
      'file:///etc/passwd',
      'https://user@example.com/',
      'http://[::1]/',
    ]) {
      await using server = await to(location)
      await fails(fetchUntrusted({ ...QUICK, url: server.url, maxRedirects: 3 }, policy), 'url_refused')
    }
    await using server = await to('https://rebind.example.com:8443/')
    await fails(fetchUntrusted({ ...QUICK, url: server.url, maxRedirects: 3 }, policy), 'address_refused')
    assert.equal(victim.connections(), 0)
  })

  test('are followed step by step, up to the limit', async () => {
    await using end = await startReceiver((_, response) => {
      response.end('here')
      return undefined
    })
    await using second = await to(`${end.url}/end`, 307)
    await using first = await to(second.url, 301)
    assert.equal(await textOf({ url: first.url, maxRedirects: 2 }, LOOPBACK), 'here')
    await fails(fetchUntrusted({ ...QUICK, url: first.url, maxRedirects: 1 }, LOOPBACK), 'too_many_redirects')
    await using endless = await to('/again')
    await fails(fetchUntrusted({ ...QUICK, url: endless.url, maxRedirects: 5 }, LOOPBACK), 'too_many_redirects')
    assert.equal(endless.received.length, 6)
  })

  test('take no secret to another origin, and keep it within one', async () => {
    await using other = await startReceiver(200)
    await using server = await startReceiver(({ path }, response) => {
      const location = path === '/' ? '/same' : other.url
      response.writeHead(302, { location }).end()
      return undefined
    })
    const headers = { authorization: 'Bearer s', 'x-api-key': 's', cookie: 's', accept: 'video/mp4' }
    await textOf({ url: server.url, headers, maxRedirects: 2 }, LOOPBACK)
    assert.equal(server.received[1]?.headers.authorization, 'Bearer s')
    const seen = other.received[0]?.headers ?? {}
    assert.deepEqual(
      [seen.authorization, seen['x-api-key'], seen.cookie, seen.accept],
      [undefined, undefined, undefined, 'video/mp4'],
    )
  })

  test('are for requests without a body', async () => {
    const attempt = fetchUntrusted({ ...QUICK, method: 'POST', url: 'http://127.0.0.1/', maxRedirects: 1 }, LOOPBACK)
    await assert.rejects(attempt, TypeError)
  })
})

describe('limits', () => {
  test('an answer that says it is too large is not read', async () => {
    await using server = await startReceiver((_, response) => {
      response.writeHead(200, { 'content-length': '2000000' }).write('x')
      return undefined
    })
    await fails(textOf({ url: server.url }, LOOPBACK), 'too_large')
  })

  test('an answer without end is cut at the limit', async () => {
    let sent = 0
    await using server = await startReceiver((_, response) => {
      const chunk = Buffer.alloc(65_536)
      const more = () => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length
      }
      response.on('drain', more)
      more()
      return undefined
    })
    await fails(textOf({ url: server.url }, LOOPBACK), 'too_large')
    assert.ok(sent < 20_000_000, `${sent} bytes had been sent`)
  })

  test('an answer whose server has gone before it is read is there whole', async () => {
    const body = randomBytes(64 * 1024)
    for (const framing of ['x-length: unknown', `content-length: ${body.length}`]) {
      const server = createTcpServer((socket) => {
        socket
          .on('error', () => {})
          .once('data', () => {
            socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\n${framing}\r\n\r\n`)
            socket.end(body)
          })
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const address = server.address()
      assert.ok(typeof address === 'object' && address !== null)
      const url = `http://127.0.0.1:${address.port}/`
      await using answer = await fetchUntrusted({ ...QUICK, url }, LOOPBACK)
      // What came after it has come whole, and so has this.
      await textOf({ url }, LOOPBACK)
      const chunks: Buffer[] = []
      for await (const chunk of answer.body) chunks.push(chunk)
      assert.deepEqual(Buffer.concat(chunks), body)
      server.close()
    }
  })

  test('a head without end is cut', async () => {
    await using server = await startReceiver((_, response) => {
      response.writeHead(200, { 'x-long': 'x'.repeat(40_000) }).end()
      return undefined
    })
    await fails(textOf({ url: server.url }, LOOPBACK), 'bad_answer')
  })

  test('a URL that is not escaped is refused by what has to be escaped', async () => {
    for (const [url, named] of [
      ['https://example.com/my picture.png', 'a space'],
      ['https://example.com/my\\picture.png', 'a backslash'],
      ['https://example.com/my\npicture.png', 'a line break'],
    ] as const) {
      const error = await fails(textOf({ url }, NOWHERE_PRIVATE), 'url_refused')
      assert.match(error.message, new RegExp(`allowed: an https URL in which ${named}.* is percent-encoded`))
    }
  })

  test('a call names its program and the address where its operator can be found', async () => {
    await using server = await startReceiver(200)
    const policy = fetchPolicy(['127.0.0.0/8'], { publicUrl: 'https://video.example.com' })
    await textOf({ url: server.url }, policy)
    await textOf({ url: server.url }, LOOPBACK)
    const [named, unnamed] = server.received.map(({ headers }) => headers)
    assert.match(named?.['user-agent'] ?? '', /^Reelay\/\d+\.\d+\.\d+ \(\+https:\/\/video\.example\.com\)$/)
    assert.match(unnamed?.['user-agent'] ?? '', /^Reelay\/\d+\.\d+\.\d+$/)
    assert.equal(named?.accept, '*/*')
    assert.equal(named?.['accept-encoding'], 'identity')
  })

  test('no answer, and one that drips, end with the time', async () => {
    await using silent = await startReceiver(() => undefined)
    await fails(textOf({ url: silent.url, timeoutMs: 150 }, LOOPBACK), 'timeout')
    await using dripping = await startReceiver((_, response) => {
      const drip = setInterval(() => response.write('.'), 20)
      response.on('close', () => clearInterval(drip))
      return undefined
    })
    const error = await fails(textOf({ url: dripping.url, timeoutMs: 300 }, LOOPBACK), 'timeout')
    assert.equal(error.sent, 'maybe')
  })

  test('a caller that gives up ends the call', async () => {
    await using silent = await startReceiver(() => undefined)
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 50)
    await fails(textOf({ url: silent.url, signal: stop.signal }, LOOPBACK), 'aborted')
    await fails(textOf({ url: silent.url, signal: AbortSignal.abort() }, LOOPBACK), 'aborted')
  })

  test('nothing is sent twice: a connection that breaks is an error', async () => {
    let connections = 0
    const server = createTcpServer((socket) => {
      connections += 1
      socket.on('error', () => {})
      socket.once('data', () => socket.resetAndDestroy())
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    for (const method of ['GET', 'POST', 'PUT'] as const) {
      const error = await fails(textOf({ method, url: `http://127.0.0.1:${address.port}/` }, LOOPBACK), 'interrupted')
      assert.equal(error.sent, 'maybe')
    }
    await delay(100)
    assert.equal(connections, 3)
    server.close()
    await once(server, 'close')
    const error = await fails(textOf({ url: `http://127.0.0.1:${address.port}/` }, LOOPBACK), 'unreachable')
    assert.equal(error.sent, 'no')
  })

  test('what speaks no TLS, and what speaks no HTTP, is told apart', async () => {
    await using server = await startReceiver(200)
    await fails(textOf({ url: server.url.replace('http:', 'https:') }, LOOPBACK), 'tls')
    const echo = createTcpServer((socket) => {
      echo.close()
      socket.on('error', () => {})
      socket.write('SSH-2.0-OpenSSH\r\n')
    }).listen(0, '127.0.0.1')
    await once(echo, 'listening')
    const address = echo.address()
    assert.ok(typeof address === 'object' && address !== null)
    await fails(textOf({ url: `http://127.0.0.1:${address.port}/` }, LOOPBACK), 'bad_answer')
  })
})

test('a stream is sent as it is, with the length that was given', async () => {
  await using server = await startReceiver(201)
  const content = randomBytes(3_000_000)
  const body = Readable.from([content.subarray(0, 1_000_000), content.subarray(1_000_000)])
  await using answer = await fetchUntrusted(
    {
      ...QUICK,
      method: 'PUT',
      url: `${server.url}/video.mp4?signature=s`,
      body,
      headers: { 'content-length': '3000000', 'content-type': 'video/mp4' },
    },
    LOOPBACK,
  )
  assert.equal(answer.status, 201)
  const [put] = server.received
  assert.ok(put)
  assert.ok(put.body.equals(content))
  assert.deepEqual(
    [
      put.method,
      put.path,
      put.headers['content-length'],
      put.headers['content-type'],
      put.headers['transfer-encoding'],
    ],
    ['PUT', '/video.mp4?signature=s', '3000000', 'video/mp4', undefined],
  )
})

test('a stream that is not used up is destroyed', async () => {
  const body = Readable.from(['x'])
  await fails(
    fetchUntrusted({ ...QUICK, method: 'PUT', url: 'https://127.0.0.1/', body }, NOWHERE_PRIVATE),
    'url_refused',
  )
  assert.ok(body.destroyed)
})
