import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { waitFor } from '../../test/support/patience.ts'
import { afterRunning } from './running-time.ts'

/** Waits for a word on a connection, or for 2 s of running, and says which came first. */
const CHILD = `
import { connect } from 'node:net'
import { afterRunning } from ${JSON.stringify(import.meta.resolve('./running-time.ts'))}
const socket = connect(Number(process.argv[1]), '127.0.0.1')
const end = (what) => process.send(what, () => process.exit())
socket.once('connect', () => {
  socket.once('data', () => end('answer'))
  afterRunning(2_000, () => end('timeout'))
})
`

describe('afterRunning', () => {
  it('acts after the time, and not before', async () => {
    const began = performance.now()
    await new Promise<void>((resolve) => afterRunning(1_300, resolve))
    assert.ok(performance.now() - began >= 1_290)
  })

  it('does not act when it was called off, in whichever tick', async () => {
    let acted = false
    const act = () => {
      acted = true
    }
    afterRunning(10, act)()
    // Called off in its last tick. However late timers are, those of this process fire in the order of their times.
    const callOff = afterRunning(3_000, act)
    await new Promise<void>((resolve) => afterRunning(2_500, resolve))
    callOff()
    await new Promise<void>((resolve) => afterRunning(1_500, resolve))
    assert.equal(acted, false)
  })

  it('lets a process that was frozen read what came meanwhile before the time is over', async () => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(address !== null && typeof address === 'object')
    const arguments_ = ['--import', 'tsx', '--input-type=module', '-e', CHILD, String(address.port)]
    const child = fork('-', [], { execArgv: arguments_, silent: false })
    const heard = once(child, 'message')
    const [socket] = await once(server, 'connection')
    child.kill('SIGSTOP')
    socket.write('the answer')
    const stoppedAt = performance.now()
    await waitFor('more than its time to pass', () => performance.now() - stoppedAt > 5_000)
    child.kill('SIGCONT')
    assert.deepEqual((await heard)[0], 'answer')
    server.close()
  })
})
