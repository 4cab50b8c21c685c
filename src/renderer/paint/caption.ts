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
    context.shadowColor = 'rgba(0,0,0,0.7)'
    context.shadowBlur = size * 0.5
    context.fillStyle = 'rgba(255,255,255,0.55)'
    // Twice: one shadow is too thin over snow.
    context.fillText(stage.board.caption, inset, stage.height - inset)
    context.fillText(stage.board.caption, inset, stage.height - inset)
  })
}

function registerFont(): void {
  if (GlobalFonts.has(FAMILY)) return
  const file = fileURLToPath(import.meta.resolve('@fontsource/inter/files/inter-latin-500-normal.woff2'))
  if (GlobalFonts.registerFromPath(file, FAMILY) === null) throw new Error(`The caption font cannot be read: ${file}`)
}
