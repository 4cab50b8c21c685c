import type { Json } from '../canonical/json.ts'
import type { Queryable } from '../db/database.ts'
import type { Dialect, RenderContext } from '../dialects/dialect.ts'
import { selectAnyTask } from '../tasks/queries.ts'
import type { LeasedDelivery } from '../webhooks/delivery.ts'

export interface CallbackRendererOptions extends Pick<RenderContext, 'urlOf'> {
  readonly db: Queryable
  readonly dialects: readonly Pick<Dialect, 'id' | 'renderCallback'>[]
}

/** Writes the body of a callback in the words of the dialect that its task was created in, with fresh links. */
export function callbackRenderer({ db, dialects, urlOf }: CallbackRendererOptions) {
  return async ({ taskId }: LeasedDelivery): Promise<Json> => {
    const task = await selectAnyTask(db, taskId)
    const render = dialects.find(({ id }) => id === task?.dialect)?.renderCallback
    if (task === undefined || render === undefined) throw new Error(`no dialect renders the callback of ${taskId}`)
    return render(task, { urlOf })
  }
}
