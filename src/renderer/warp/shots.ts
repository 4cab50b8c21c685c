import type { GenerationRequest } from '../../canonical/generation.ts'
import type { CameraMove } from '../storyboard/camera-words.ts'
import { hashText } from '../storyboard/hash-text.ts'
import { pick, seededRandom } from '../storyboard/seeded-random.ts'
import type { Storyboard } from '../storyboard/storyboard.ts'

/** A picture for as long as it is seen. */
export interface Shot {
  /** Index of its picture among the request's references. */
  readonly picture: number
  /** First frame of the clip in which it is seen, and the one after the last. */
  readonly from: number
  readonly to: number
  readonly camera: CameraMove
  /** `leaving` starts from the fitted picture, `arriving` ends with it. */
  readonly course: 'leaving' | 'arriving'
  /** How it takes over from the shot before, over the frames that both are seen; the first shot does not. */
  readonly entrance: 'dissolve' | 'push'
}

/** Frames over which one shot gives way to the next: half a second and a little. */
const TRANSITION_FRAMES = 14
/** From the first picture to the last the way is one: they blend over this share of the clip. */
const JOURNEY_SHARE = 0.4
/** A transition may take this share of a shot, so that every picture is seen by itself. */
const MOST_OF_SHOT = 0.4

/** Cameras of the shots after the first; each next shot takes the next one. */
const CAMERAS: readonly [CameraMove, ...CameraMove[]] = ['zoomIn', 'panRight', 'drift', 'panLeft', 'zoomOut', 'orbit']

/** Plans in which order, for how long and with which cameras the pictures of a request are seen. */
export function planShots(request: GenerationRequest, board: Storyboard, framesTotal: number): readonly Shot[] {
  const pictures = orderPictures(request)
  const random = seededRandom((board.seed ^ hashText('shots')) >>> 0)
  const start = Math.floor(random() * CAMERAS.length)
  const overlap = overlapFrames(request, framesTotal, pictures.length)
  const cutAt = (index: number) => Math.round((framesTotal * index) / pictures.length)
  return pictures.map((picture, index) => {
    const isLast = request.references[picture]?.role === 'lastFrame'
    // On the way from a first picture to a last one camera moves all the way.
    const isFollowed = index === 0 || board.camera === 'static' || (isLast && pictures.length === 2)
    return {
      picture,
      from: index === 0 ? 0 : cutAt(index) - Math.floor(overlap / 2),
      to: index + 1 === pictures.length ? framesTotal : cutAt(index + 1) + Math.ceil(overlap / 2),
      camera: isFollowed ? board.camera : (CAMERAS[(start + index) % CAMERAS.length] ?? 'drift'),
      course: isLast ? 'arriving' : 'leaving',
      entrance: isLast ? 'dissolve' : pick(random, ENTRANCES[request.mode]),
    }
  })
}

/** How often a shot pushes the one before it away, by mode. */
const ENTRANCES = {
  fun: ['push', 'dissolve'],
  normal: ['dissolve', 'dissolve', 'push'],
  spicy: ['dissolve', 'push'],
} as const

/** Frames that two neighbouring shots share. */
function overlapFrames(request: GenerationRequest, framesTotal: number, shots: number): number {
  const isJourney = shots === 2 && request.references.some(({ role }) => role === 'lastFrame')
  const wanted = isJourney ? Math.round(framesTotal * JOURNEY_SHARE) : TRANSITION_FRAMES
  return Math.min(wanted, Math.floor((framesTotal / shots) * (isJourney ? 1 : MOST_OF_SHOT)))
}

const NAMED_PICTURE = /<IMAGE_(\d{1,3})>/giu

/**
 * The first picture, those to go by, the last. Those that the prompt names come in the order in which it first does, and
 * those that it does not name after them, as they were given.
 */
function orderPictures({ prompt, references }: GenerationRequest): readonly number[] {
  const withRole = (wanted: string) => [...references.keys()].filter((index) => references[index]?.role === wanted)
  const given = withRole('reference')
  const named = [...prompt.matchAll(NAMED_PICTURE)].flatMap(([, number]) => given[Number(number) - 1] ?? [])
  return [...withRole('firstFrame'), ...new Set([...named, ...given]), ...withRole('lastFrame')]
}
