import { type FindPrompt, inQueue } from './find-prompt.ts'

/**
 * Takes a prompt out of the queue, and interrupts it where it runs. Of one that is over, or unknown, nothing changes.
 * @throws Error where the server does not do so; FetchError where there is no answer.
 */
export async function stopPrompt(find: FindPrompt): Promise<void> {
  const { id, upstream, credential, signal } = find
  await tell('/queue', { delete: [id] })
  // Old servers interrupt whatever is running, whichever prompt is named.
  const found = await inQueue(find)
  if (found.kind === 'running') await tell('/interrupt', { prompt_id: id })

  async function tell(path: string, json: { delete: string[] } | { prompt_id: string }): Promise<void> {
    const { status } = await upstream.read({ method: 'POST', path, credential, json, signal })
    if (status !== 200) throw new Error(`The provider answers ${path} with ${status}.`)
  }
}
