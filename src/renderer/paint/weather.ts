import { rainfall, snowfall } from './particles.ts'
import { type Layer, layered, type Scene, type Stage } from './stage.ts'

/** Rain or snow in front of a scene that is not itself about it. */
export function withWeather(stage: Stage, scene: Scene): Scene {
  const layers = weatherLayers(stage)
  if (layers.length === 0) return scene
  const weather = layered(stage, layers)
  return {
    paint(context, moment) {
      scene.paint(context, moment)
      context.globalAlpha = 1
      context.globalCompositeOperation = 'source-over'
      weather.paint(context, moment)
    },
  }
}

function weatherLayers(stage: Stage): Layer[] {
  const { scene, weather } = stage.board
  if (weather === 'clear' || weather === scene) return []
  return weather === 'rain'
    ? [
        rainfall(stage, 'weather far', { depth: 0.3, count: 200 }),
        rainfall(stage, 'weather near', { depth: 1, count: 60 }),
      ]
    : [
        snowfall(stage, 'weather far', { depth: 0.3, count: 170 }),
        snowfall(stage, 'weather near', { depth: 1, count: 50 }),
      ]
}
