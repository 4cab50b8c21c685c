/**
 * What should happen to the credits, said a second time and in another way: numbers in memory, one thing after another,
 * and nothing of the product's. The property tests do each thing to both and compare.
 */

export type OracleState = 'queued' | 'active' | 'succeeded' | 'failed' | 'canceled' | 'expired'

export interface OracleTask {
  readonly wallet: string
  readonly price: number
  /** Its place in the order of creation. */
  readonly number: number
  state: OracleState
}

interface OracleWallet {
  readonly concurrency: number
  available: number
  held: number
  spent: number
}

export class Oracle {
  readonly tasks = new Map<string, OracleTask>()
  readonly #wallets = new Map<string, OracleWallet>()
  readonly #keys = new Map<string, { readonly body: string; readonly task: string }>()

  open(wallet: string, concurrency: number): void {
    this.#wallets.set(wallet, { concurrency, available: 0, held: 0, spent: 0 })
  }

  grant(wallet: string, amount: number): void {
    this.#of(wallet).available += amount
  }

  revoke(wallet: string, amount: number): 'revoked' | 'insufficient' {
    const purse = this.#of(wallet)
    if (amount > purse.available) return 'insufficient'
    purse.available -= amount
    return 'revoked'
  }

  /** `task` is the id that the task has if it is made. */
  submit(asked: { wallet: string; task: string; price: number; key: string | undefined; body: string }): string {
    const { wallet, task, price, key, body } = asked
    const known = key === undefined ? undefined : this.#keys.get(`${wallet} ${key}`)
    if (known !== undefined) return known.body === body ? `replayed ${known.task}` : 'conflict'
    const purse = this.#of(wallet)
    if (price > purse.available) return 'insufficient'
    purse.available -= price
    purse.held += price
    this.tasks.set(task, { wallet, price, number: this.tasks.size, state: 'queued' })
    if (key !== undefined) this.#keys.set(`${wallet} ${key}`, { body, task })
    return `created ${task}`
  }

  /** How many tasks `slots` free slots take in: of each wallet, what it has waiting and its plan still allows. */
  admissible(slots: number): number {
    let waiting = 0
    for (const [id, { concurrency }] of this.#wallets) {
      waiting += Math.min(this.#count(id, 'queued'), Math.max(0, concurrency - this.#count(id, 'active')))
    }
    return Math.min(slots, waiting)
  }

  /** Throws if a task may not be admitted now. */
  admit(task: string): void {
    const found = this.#task(task)
    if (found.state !== 'queued') throw new Error(`${task} is ${found.state}, and was admitted`)
    const older = [...this.tasks.values()].some(
      (each) => each.wallet === found.wallet && each.state === 'queued' && each.number < found.number,
    )
    if (older) throw new Error(`${task} was admitted before an older one of its wallet`)
    found.state = 'active'
    if (this.#count(found.wallet, 'active') > this.#of(found.wallet).concurrency) {
      throw new Error(`wallet ${found.wallet} has more tasks under way than its plan allows`)
    }
  }

  /** Whether this ends the task: a second time does not. */
  end(task: string, state: Exclude<OracleState, 'queued' | 'active'>, captured: number): boolean {
    const found = this.#task(task)
    if (found.state !== 'queued' && found.state !== 'active') return false
    found.state = state
    const purse = this.#of(found.wallet)
    purse.held -= found.price
    purse.spent += captured
    purse.available += found.price - captured
    return true
  }

  /** `granted/available/held/spent` */
  balance(wallet: string): string {
    const { available, held, spent } = this.#of(wallet)
    return [available + held + spent, available, held, spent].join('/')
  }

  #count(wallet: string, state: OracleState): number {
    return [...this.tasks.values()].filter((task) => task.wallet === wallet && task.state === state).length
  }

  #of(wallet: string): OracleWallet {
    const found = this.#wallets.get(wallet)
    if (found === undefined) throw new Error(`there is no wallet ${wallet}`)
    return found
  }

  #task(task: string): OracleTask {
    const found = this.tasks.get(task)
    if (found === undefined) throw new Error(`there is no task ${task}`)
    return found
  }
}
