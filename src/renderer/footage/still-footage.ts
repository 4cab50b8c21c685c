import { frameSize, type GenerationRequest, outputSeconds } from '../../canonical/generation.ts'
import { FRAMES_PER_SECOND, SAMPLES_PER_FRAME } from '../encode/encoder.ts'
import { grainTile } from '../paint/i420.ts'
import { layOver } from '../paint/lay-over.ts'
import { createAmbience } from '../sound/ambience.ts'
import { mostMentioned, promptWords } from '../storyboard/prompt-words.ts'
import { SCENE_WORDS } from '../storyboard/scene-words.ts'
import { type Grade, type Storyboard, storyboard } from '../storyboard/storyboard.ts'
import type { Size } from '../warp/fit.ts'
import { type MovingPicture, openMovingPicture } from '../warp/moving-picture.ts'
import { createOverlays } from '../warp/picture-overlays.ts'
import { PictureShelf } from '../warp/picture-shelf.ts'
import { planShots, type Shot } from '../warp/shots.ts'
import { arrivingViewAt, type StillMove, stillViewAt } from '../warp/still-camera.ts'
import { dissolve, push } from '../warp/transition.ts'
import type { Footage, FootageOrder } from './footage.ts'

/** A photograph has grain of its own: this is the dither, and just enough that a still camera does not freeze. */
const GRAIN_SIXTEENTHS = 8
/** What a mode does to a picture that was brought, as a share of what it does to a drawn one. */
const GRADE_SHARE = 0.4

/** Pictures that a camera moves through, one after the other, and the sound of what the prompt speaks of. */
export async function openStillFootage({ request, referencePaths }: FootageOrder): Promise<Footage> {
  const board = boardFor(request)
  const size = frameSize(request)
  const framesTotal = Math.round(outputSeconds(request) * FRAMES_PER_SECOND)
  const shots = planShots(request, board, framesTotal)
  const grade = request.mode === 'normal' ? PLAIN : lighter(board.grade)
  const grain = grainTile(board.seed, GRAIN_SIXTEENTHS)
  const pictures = new PictureShelf((picture) => {
    const path = referencePaths[picture]
    if (path === undefined) throw new RangeError(`reference ${picture} has no file`)
    return openMovingPicture(path, { size, grade, grain })
  })
  const overlaysAt = createOverlays(board, size)
  const ambience = createAmbience(board, outputSeconds(request))
  const spare = new Uint8Array(shots.length > 1 ? (size.width * size.height * 3) / 2 : 0)
  // A picture that cannot be read fails the clip before a frame of it is encoded.
  await pictures.take(shots[0]?.picture ?? 0)
  return {
    ...size,
    framesTotal,
    async draw(frame) {
      const seen = shots.filter(({ from, to }) => from <= frame && frame < to)
      const next = shots.find(({ from }) => from > frame)
      const moving = await Promise.all(seen.map(({ picture }) => pictures.take(picture)))
      pictures.keep([...seen, ...(next === undefined ? [] : [next])].map(({ picture }) => picture))
      const overlays = overlaysAt(frame)
      return {
        convert(planes) {
          for (const [index, shot] of seen.entries()) {
            const target = index === 0 ? planes : spare
            writeShot({ shot, picture: moving[index], energy: board.energy }, frame, target)
            if (index > 0) enter({ shot, before: seen[index - 1], size }, frame, { planes, spare })
          }
          for (const overlay of overlays) layOver(planes, size, overlay)
          return planes
        },
      }
    },
    sound: () => ambience.next(SAMPLES_PER_FRAME),
    async [Symbol.asyncDispose]() {
      pictures.keep([])
    },
  }
}

/** The storyboard of a request with pictures: words that name no place leave the sound neutral, whatever the seed. */
function boardFor(request: GenerationRequest): Storyboard {
  const board = storyboard(request)
  const names = mostMentioned(promptWords(request.prompt), SCENE_WORDS)
  return { ...board, scene: names === undefined ? 'studio' : board.scene, caption: 'animatic' }
}

const PLAIN: Grade = { contrast: 1, saturation: 1, warmth: 0 }

function lighter({ contrast, saturation, warmth }: Grade): Grade {
  return {
    contrast: 1 + (contrast - 1) * GRADE_SHARE,
    saturation: 1 + (saturation - 1) * GRADE_SHARE,
    warmth: warmth * GRADE_SHARE,
  }
}

interface SeenShot {
  readonly shot: Shot
  readonly picture: MovingPicture | undefined
  readonly energy: number
}

function writeShot({ shot, picture, energy }: SeenShot, frame: number, planes: Uint8Array): void {
  if (picture === undefined) throw new Error(`the picture of the shot at frame ${frame} is not open`)
  const frames = shot.to - shot.from
  const { camera, course } = shot
  const move: StillMove = { camera, energy, seconds: frames / FRAMES_PER_SECOND, slack: picture.slack }
  const progress = (frame - shot.from) / Math.max(1, frames - 1)
  picture.write(course === 'arriving' ? arrivingViewAt(move, progress) : stillViewAt(move, progress), frame, planes)
}

/** Brings in a shot, drawn in `spare`, over the one before it in `planes`. */
function enter(
  { shot, before, size }: { shot: Shot; before: Shot | undefined; size: Size },
  frame: number,
  { planes, spare }: { planes: Uint8Array; spare: Uint8Array },
): void {
  const frames = (before?.to ?? shot.from) - shot.from
  const share = (frame - shot.from + 1) / (frames + 1)
  if (shot.entrance === 'push') push(planes, spare, size, share)
  else dissolve(planes, spare, share)
}
