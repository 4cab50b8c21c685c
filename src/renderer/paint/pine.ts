import type { Random } from '../storyboard/seeded-random.ts'

/** What a silhouette is added to: a context or a path. */
interface Pen {
  moveTo(x: number, y: number): void
  lineTo(x: number, y: number): void
  quadraticCurveTo(cx: number, cy: number, x: number, y: number): void
  closePath(): void
}

/** Adds the silhouette of a pine, its foot at (x, y): drooping branches, no two alike. Sizes in pixels. */
export function addPine(pen: Pen, random: Random, { x, y, height }: { x: number; y: number; height: number }): void {
  const tiers = 6 + Math.floor(random() * 4)
  const lean = (random() - 0.5) * 0.05 * height
  const width = height * (0.19 + 0.07 * random())
  const side = (direction: 1 | -1) =>
    Array.from({ length: tiers }, (_, tier) => {
      const share = (tier + 1) / tiers
      const reach = width * share ** 0.85 * (0.8 + 0.4 * random())
      return { share, tip: direction * reach, notch: direction * reach * 0.42 }
    })
  const at = (share: number) => y - height * (1 - share * 0.93)
  pen.moveTo(x + lean, y - height)
  for (const { share, tip, notch } of side(1)) {
    pen.quadraticCurveTo(x + tip * 0.35 + lean * (1 - share), at(share - 0.5 / tiers), x + tip, at(share))
    pen.lineTo(x + notch, at(share) - height * 0.012)
  }
  pen.lineTo(x + height * 0.014, at(1))
  pen.lineTo(x + height * 0.016, y)
  pen.lineTo(x - height * 0.016, y)
  pen.lineTo(x - height * 0.014, at(1))
  for (const { share, tip, notch } of side(-1).reverse()) {
    pen.lineTo(x + notch, at(share) - height * 0.012)
    pen.lineTo(x + tip, at(share))
    pen.quadraticCurveTo(
      x + tip * 0.35 + lean * (1 - share),
      at(share - 0.5 / tiers),
      x + tip * 0.3,
      at(share - 0.9 / tiers),
    )
  }
  pen.closePath()
}
