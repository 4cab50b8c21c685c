/** What is parked by a restore, and what an operator types about it. */
export interface ParkedTotals {
  readonly tasks: number
  readonly deliveries: number
}

export const RESUME_TASKS = 'reelay tasks resume --all'
export const FAIL_TASKS = 'reelay tasks fail --all'
export const RESUME_DELIVERIES = 'reelay deliveries resume --all'
export const DROP_DELIVERIES = 'reelay deliveries drop --all'

/** Open tasks at providers that no worker has, by provider. */
export function unconfiguredLines(tasks: ReadonlyMap<string, number>): string[] {
  return [...tasks].map(
    ([provider, count]) =>
      `${count} open tasks wait for the provider ${provider}, which no worker has configured. Put it back into the file, or ` +
      'give them up with "reelay tasks fail <task>".',
  )
}

/** Sentences for a terminal; none where nothing is parked. */
export function parkedLines({ tasks, deliveries }: ParkedTotals): string[] {
  return [
    ...(tasks === 0
      ? []
      : [
          `${tasks} open tasks are parked, for the original may have made and paid for them since. ` +
            `"${RESUME_TASKS}" goes on with them, "${FAIL_TASKS}" gives them up and returns the credits.`,
        ]),
    ...(deliveries === 0
      ? []
      : [
          `${deliveries} callbacks and uploads are parked, for the original may have made them since. ` +
            `"${RESUME_DELIVERIES}" makes them, "${DROP_DELIVERIES}" gives them up.`,
        ]),
  ]
}
