import { fileURLToPath } from 'node:url'
import { GlobalFonts } from '@napi-rs/canvas'
import { drawSprite, type Sprite, type Stage } from './stage.ts'

/** The family name under which the Latin cut of Inter is registered; our own, so that no system font answers. */
const FAMILY = 'Reelay Caption'

/**
 * The words in the corner that name the clip an animatic. They are ours and Latin, never the prompt's: the font that is
 * installed has no Devanagari, and empty boxes in a customer's video would be worse than no caption.
 */
export function drawCaption(stage: Stage): Sprite {
  registerFont()
  const size = Math.max(9, stage.unit * 2.5)
  const inset = stage.unit * 3.4
  const strip = { left: 0, right: stage.width, top: stage.height - inset - size * 2, bottom: stage.height }
  return drawSprite(strip, (context) => {
    context.font = `${size.toFixed(1)}px "${FAMILY}"`
    context.textBaseline = 'alphabetic'
    const [x, y] = [inset, stage.height - inset]
    // A faint plate: white letters alone are lost among flowers and on snow.
    context.fillStyle = 'rgba(0,0,0,0.3)'
    context.beginPath()
    const { width } = context.measureText(stage.board.caption)
    context.roundRect(x - size * 0.7, y - size * 1.25, width + size * 1.4, size * 1.85, size * 0.92)
    context.fill()
    context.fillStyle = 'rgba(255,255,255,0.82)'
    context.fillText(stage.board.caption, x, y)
  })
}

function registerFont(): void {
  if (GlobalFonts.has(FAMILY)) return
  const file = fileURLToPath(import.meta.resolve('@fontsource/inter/files/inter-latin-500-normal.woff2'))
  if (GlobalFonts.registerFromPath(file, FAMILY) === null) throw new Error(`The caption font cannot be read: ${file}`)
}
