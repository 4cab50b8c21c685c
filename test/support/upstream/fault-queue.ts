import type { Fault, FaultScript, FaultTarget } from './fault.ts'

/** The faults that are still to come, by what they are for. */
export class FaultQueue {
  readonly #scripts = new Map<FaultTarget, { left: Fault[]; readonly after: Fault }>()

  /** Replaces what was to come for calls of this kind. */
  script(target: FaultTarget, { faults, then = { kind: 'none' } }: FaultScript): void {
    this.#scripts.set(target, { left: [...faults], after: then })
  }

  next(target: FaultTarget): Fault {
    const script = this.#scripts.get(target)
    return script?.left.shift() ?? script?.after ?? { kind: 'none' }
  }
}
