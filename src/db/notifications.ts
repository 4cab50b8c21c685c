import pg from 'pg'
import { IMPATIENT, noticeGoneClients } from './silent-peer.ts'

/** Pause before a lost connection is opened again. */
const RECONNECT_MS = 1_000

/**
 * A connection that only listens sends nothing, and so would never learn that the other side is silent: it asks this often, and
 * is given up if no answer comes in time. Until then notifications are missed.
 */
const HEARTBEAT_EVERY_MS = 10_000
const HEARTBEAT = { text: 'select', query_timeout: 10_000 }

export interface NotificationOptions {
  readonly config: pg.PoolConfig
  /** Handlers by channel; channels are our own constant names. */
  readonly handlers: Readonly<Record<string, (payload: string) => void>>
  /** Called after every connection, the first included: notifications may have been missed before it. */
  readonly onConnected: (client: pg.Client) => Promise<void>
  readonly onError: (error: unknown) => void
}

/**
 * One connection that listens. Notifications are hints that make things quick; everything that they announce is also
 * found by a sweep, so a lost connection costs time and nothing else.
 */
export class Notifications implements AsyncDisposable {
  readonly #options: NotificationOptions
  #client: pg.Client | undefined
  #retry: NodeJS.Timeout | undefined
  #heartbeat: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: NotificationOptions) {
    this.#options = options
  }

  /** Connects and listens. Throws if the first connection fails; later ones are retried for ever. */
  async open(): Promise<void> {
    const { config, handlers, onConnected, onError } = this.#options
    const client = new pg.Client({ ...IMPATIENT, application_name: 'reelay-listen', ...config })
    client.on('notification', ({ channel, payload }) => handlers[channel]?.(payload ?? ''))
    client.on('error', onError)
    await client.connect()
    client.once('end', () => this.#reopen())
    this.#client = client
    try {
      await noticeGoneClients(client)
      for (const channel of Object.keys(handlers)) await client.query(`listen ${pg.escapeIdentifier(channel)}`)
      await onConnected(client)
    } catch (error) {
      // Deaf is worse than gone: the end is noticed, and the next connection begins anew.
      await client.end()
      throw error
    }
    if (this.#closed) await client.end()
    else this.#beat(client)
  }

  #beat(client: pg.Client): void {
    clearInterval(this.#heartbeat)
    this.#heartbeat = setInterval(() => {
      client.query(HEARTBEAT).catch((error: unknown) => {
        if (this.#client !== client || this.#closed) return
        this.#options.onError(error)
        // Its end has the next connection opened.
        void client.end()
      })
    }, HEARTBEAT_EVERY_MS)
  }

  #reopen(): void {
    if (this.#closed) return
    this.#client = undefined
    clearInterval(this.#heartbeat)
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => {
      this.open().catch((error: unknown) => {
        this.#options.onError(error)
        if (this.#client === undefined) this.#reopen()
      })
    }, RECONNECT_MS)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearInterval(this.#heartbeat)
    clearTimeout(this.#retry)
    await this.#client?.end()
  }
}
