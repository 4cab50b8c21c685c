import { fileURLToPath } from 'node:url'
import { GlobalFonts } from '@napi-rs/canvas'
import { drawSprite, type Sprite, type Stage } from '../paint/stage.ts'

/** Longer than this is no title but a sentence about the edit. Characters. */
const MAX_LENGTH = 60

/** What stands in the quotes of any of the five languages. An apostrophe is one only between spaces. */
const QUOTED = /["“”„«]([^"“”„«»]{1,60})["“”»]|(?:^|\s)['‘]([^'‘’]{1,60})['’](?=\s|[.,;!?]|$)/u
/** What follows a word for a text, up to the end of the phrase. */
const NAMED =
  /(?:^|[^\p{L}])(?:text|title|caption|words|texte|titre|legende|légende|текст|текстом|надпись|надписью|название|teks|tulisan|judul|bertuliskan)\s*(?:[:：=]|that says|saying|reading|qui dit)\s*([^.,;!?\n]+)/iu

/** What the installed cuts of Inter can write. Empty boxes in a customer's video would be worse than no title. */
const WRITABLE = /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}\p{P}\p{Zs}\p{Sm}\p{Sc}]+$/u

/** The words that a prompt wants to stand in the picture, if it does and if we can write them. */
export function titleOf(prompt: string): string | undefined {
  const quoted = QUOTED.exec(prompt)
  const found = (quoted?.[1] ?? quoted?.[2] ?? NAMED.exec(prompt)?.[1])?.trim()
  if (found === undefined || found === '' || found.length > MAX_LENGTH) return undefined
  return WRITABLE.test(found) ? found : undefined
}

const CUTS = ['latin', 'latin-ext', 'cyrillic', 'cyrillic-ext', 'greek', 'vietnamese'] as const

/** Draws a title: in the lower third, as large as it fits, with a soft shadow that lifts it off any picture. */
export function drawTitle(stage: Stage, title: string): Sprite {
  const family = registerFonts()
  const middle = stage.height * 0.74
  const reach = stage.unit * 12
  return drawSprite({ left: 0, right: stage.width, top: middle - reach, bottom: middle + reach }, (context) => {
    let size = stage.unit * 9
    context.font = `${size.toFixed(1)}px ${family}`
    size *= Math.min(1, (stage.width * 0.86) / context.measureText(title).width)
    context.font = `${size.toFixed(1)}px ${family}`
    context.textAlign = 'center'
    context.textBaseline = 'middle'
    context.shadowColor = 'rgba(0,0,0,0.65)'
    context.shadowBlur = size * 0.28
    context.shadowOffsetY = size * 0.04
    context.fillStyle = '#ffffff'
    context.fillText(title, stage.width / 2, middle)
  })
}

/** Registers each cut under a name of its own, so that no system font answers; together they are the family. */
function registerFonts(): string {
  return CUTS.map((cut) => {
    const family = `Reelay Title ${cut}`
    if (!GlobalFonts.has(family)) {
      const file = fileURLToPath(import.meta.resolve(`@fontsource/inter/files/inter-${cut}-600-normal.woff2`))
      if (GlobalFonts.registerFromPath(file, family) === null) throw new Error(`The font cannot be read: ${file}`)
    }
    return `"${family}"`
  }).join(', ')
}
