/** The process that draws posters and spritesheets for `Posters`: one request at a time, one answer each. */
import '../isolation/ignore-stop-signals.ts'
import { drawPoster } from './draw-poster.ts'
import { drawSpritesheet } from './draw-spritesheet.ts'
import { type PosterAnswer, posterRequestSchema } from './poster-messages.ts'

process.on('message', (message: unknown) => {
  void answer(message).then((sent) => process.send?.(sent))
})

// The parent is gone. Not `exit`, which would wait for a decoder that hangs in a thread.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))

async function answer(message: unknown): Promise<PosterAnswer> {
  try {
    const request = posterRequestSchema.parse(message)
    const { width, height } = request.kind === 'poster' ? await drawPoster(request) : await drawSpritesheet(request)
    return { kind: 'made', width, height }
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) }
  }
}
