import { type Colour, colour } from '../paint/colour.ts'
import { type Pattern, patterns } from './prompt-words.ts'

/** Colour names that tint the palette; each line is one language: English, French, Russian, Hindi, Indonesian. */
export const COLOUR_WORDS = {
  red: patterns('red crimson scarlet ruby rouge* красн* алый алая алое लाल* merah*'),
  orange: patterns('orange amber copper orange* ambre cuivre оранжев* नारंगी* jingga oranye'),
  gold: patterns('gold golden yellow dore* jaune* золот* желт* सुनहरा सुनहरे सुनहरी पीला पीले पीली emas keemasan kuning*'),
  green: patterns('green emerald vert verte verts vertes emeraude* зелен* изумруд* हरा हरे हरी hijau*'),
  teal: patterns('teal turquoise cyan aqua turquoise* cyan бирюзов* голуб* फिरोजी* toska sian'),
  blue: patterns('blue azure sapphire bleu* azur saphir синий синя* сине* синю* नीला नीले नीली biru*'),
  violet: patterns('purple violet lavender magenta violet* mauve* lavande фиолетов* сирен* लाल+बैंगनी बैंगनी ungu*'),
  pink: patterns('pink rose rosy rose* розов* गुलाबी merah+muda pink'),
} as const satisfies Record<string, readonly Pattern[]>
export type ColourName = keyof typeof COLOUR_WORDS

/** What each name tints towards. */
export const NAMED_COLOURS: Readonly<Record<ColourName, Colour>> = {
  red: colour('#e23b46'),
  orange: colour('#f2803a'),
  gold: colour('#f5bb4c'),
  green: colour('#45b36b'),
  teal: colour('#2fb5b0'),
  blue: colour('#3b7de0'),
  violet: colour('#8b5be0'),
  pink: colour('#f07fb0'),
}
