import type { SceneBuilder } from '../paint/stage.ts'
import type { SceneKind } from '../storyboard/scene-words.ts'
import { abstract } from './abstract.ts'
import { city } from './city.ts'
import { desert } from './desert.ts'
import { forest } from './forest.ts'
import { meadow } from './meadow.ts'
import { mountains } from './mountains.ts'
import { rain } from './rain.ts'
import { sea } from './sea.ts'
import { snow } from './snow.ts'
import { space } from './space.ts'
import { studio } from './studio.ts'

/** Who draws each scene. */
export const SCENES: Readonly<Record<SceneKind, SceneBuilder>> = {
  mountains,
  sea,
  city,
  forest,
  desert,
  space,
  rain,
  snow,
  meadow,
  studio,
  abstract,
}
