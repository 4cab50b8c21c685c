import { FRAMES_PER_SECOND } from '../encode/encoder.ts'
import { drawCaption } from '../paint/caption.ts'
import { createSceneOverlay, type Overlay, spriteOverlay } from '../paint/overlay.ts'
import { createStage } from '../paint/stage.ts'
import { withWeather } from '../paint/weather.ts'
import { cameraAt } from '../storyboard/camera.ts'
import type { Storyboard } from '../storyboard/storyboard.ts'
import type { Size } from './fit.ts'

/** Weather comes up over this long, for the first frame is the picture. */
const WEATHER_FADE_SECONDS = 1

/** What lies over the pictures at a frame: weather that the prompt names, and the caption. */
export function createOverlays(board: Storyboard, size: Size): (frame: number) => readonly Overlay[] {
  const own = createStage(board, size)
  const caption = spriteOverlay(own, drawCaption(own))
  if (board.weather === 'clear') return () => [caption]
  // Under any other scene than the weather's own, the weather alone is drawn in front.
  const stage = createStage({ ...board, scene: 'abstract' }, size)
  const weatherAt = createSceneOverlay(stage, withWeather(stage, { paint() {} }))
  const view = cameraAt('static', 0, board.energy)
  return (frame) => {
    const seconds = frame / FRAMES_PER_SECOND
    const weather = weatherAt(
      { seconds: seconds * board.energy, progress: 0, view },
      Math.min(1, seconds / WEATHER_FADE_SECONDS),
    )
    return [weather, caption]
  }
}
