import pg from 'pg'

/** Pause before a lost connection is opened again. */
const RECONNECT_MS = 1_000

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
  #closed = false

  constructor(options: NotificationOptions) {
    this.#options = options
  }

  /** Connects and listens. Throws if the first connection fails; later ones are retried for ever. */
  async open(): Promise<void> {
    const { config, handlers, onConnected, onError } = this.#options
    const client = new pg.Client({ application_name: 'reelay-listen', keepAlive: true, ...config })
    client.on('notification', ({ channel, payload }) => handlers[channel]?.(payload ?? ''))
    client.on('error', onError)
    await client.connect()
    client.once('end', () => this.#reopen())
    this.#client = client
    try {
      for (const channel of Object.keys(handlers)) await client.query(`listen ${pg.escapeIdentifier(channel)}`)
      await onConnected(client)
    } catch (error) {
      // Deaf is worse than gone: the end is noticed, and the next connection begins anew.
      await client.end()
      throw error
    }
    if (this.#closed) await client.end()
  }

  #reopen(): void {
    if (this.#closed) return
    this.#client = undefined
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
    clearTimeout(this.#retry)
    await this.#client?.end()
  }
}
