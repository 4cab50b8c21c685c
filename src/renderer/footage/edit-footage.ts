import { frameSize, outputSeconds, referenceOf } from '../../canonical/generation.ts'
import { openDecoder } from '../decode/open-decoder.ts'
import { createEcho } from '../edit/echo.ts'
import { chooseLook } from '../edit/look.ts'
import { createRetouch } from '../edit/retouch.ts'
import { zoomPlanes } from '../edit/zoom-planes.ts'
import { FRAMES_PER_SECOND } from '../encode/encoder.ts'
import { createStage } from '../paint/stage.ts'
import { storyboard } from '../storyboard/storyboard.ts'
import { stillViewAt } from '../warp/still-camera.ts'
import type { Footage, FootageOrder } from './footage.ts'
import { sourcePath } from './source-path.ts'

/** A video, changed as the words of the prompt say: as long as it was, with its own sound, sample for sample. */
export async function openEditFootage(order: FootageOrder): Promise<Footage> {
  const { request } = order
  const { width, height } = frameSize(request)
  const seconds = outputSeconds(request)
  const framesTotal = Math.round(seconds * FRAMES_PER_SECOND)
  const board = { ...storyboard(request), caption: 'animatic' }
  const look = chooseLook(request)
  // A video that was made here bears its caption already; a camera would carry that away.
  const isCaptioned = referenceOf(request, 'source')?.taskId !== undefined && look.camera === undefined
  const retouch = createRetouch({
    ...{ stage: createStage(board, { width, height }), look },
    caption: isCaptioned ? 'none' : 'drawn',
  })
  const echo = createEcho(look.pace, (width * height * 3) / 2)
  const decoder = await openDecoder({ path: sourcePath(order), width, height })

  /** Puts the source's picture into the frame, as the camera sees it. */
  function place(source: Uint8Array, planes: Uint8Array, frame: number): void {
    if (look.camera === undefined) {
      planes.set(source)
      return
    }
    const move = { camera: look.camera, energy: board.energy, seconds, slack: NO_SLACK }
    const view = stillViewAt(move, frame / Math.max(1, framesTotal - 1))
    zoomPlanes(source, planes, { width, height, view })
  }

  return {
    width,
    height,
    framesTotal,
    async draw(frame) {
      const source = await decoder.nextPicture()
      return {
        convert(planes) {
          place(source, planes, frame)
          echo?.(planes)
          retouch.apply(planes, frame, 1)
          return planes
        },
      }
    },
    sound: () => decoder.nextSound(),
    [Symbol.asyncDispose]: () => decoder[Symbol.asyncDispose](),
  }
}

/** A video has nothing to show beyond its edges. */
const NO_SLACK = { left: 0, right: 0, top: 0, bottom: 0 }
