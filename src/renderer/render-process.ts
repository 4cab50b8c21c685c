/**
 * The process that renders: started by the pool, given one order after another over IPC. It yields to the API's process
 * when the machine is busy, and ends when the pool's process does, however that ended.
 */
import '../isolation/ignore-stop-signals.ts'
import { rmSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { render } from './render.ts'
import type { RenderOrder, RenderReport } from './render-messages.ts'
import { unfinishedPath } from './unfinished-path.ts'

/** Frames between two reports: four a second of video, enough for a progress bar and few enough for the pipe. */
const FRAMES_PER_REPORT = 6

try {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
} catch {
  // A container may forbid it; rendering at normal priority is still rendering.
}

let unfinished: string | undefined
process.on('disconnect', () => {
  if (unfinished !== undefined) rmSync(unfinished, { force: true })
  process.exit()
})
process.on('message', (order: RenderOrder) => void obey(order))

async function obey({ request, referencePaths, outputPath }: RenderOrder): Promise<void> {
  unfinished = unfinishedPath(outputPath)
  try {
    await render({
      request,
      referencePaths,
      outputPath,
      onProgress(framesDone, framesTotal) {
        if (framesDone % FRAMES_PER_REPORT === 0) report({ kind: 'progress', framesDone, framesTotal })
      },
    })
    report({ kind: 'done' })
  } catch (error) {
    report({ kind: 'failed', cause: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  } finally {
    unfinished = undefined
  }
}

function report(message: RenderReport): void {
  if (process.connected) process.send?.(message)
}
