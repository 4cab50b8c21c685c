/** What a prompt is refused for, as customers are told. */
export const CATEGORIES = ['sexual_minors', 'non_consensual', 'explicit', 'policy'] as const
export type Category = (typeof CATEGORIES)[number]

/** Names the category, never the words that were found: a list of what to avoid helps only whoever means to get past. */
export const SENTENCES: Readonly<Record<Category, string>> = {
  sexual_minors: 'The content policy refuses this prompt: sexual content with minors.',
  non_consensual: 'The content policy refuses this prompt: sexual images of real people without their consent.',
  explicit: 'The content policy refuses this prompt: explicit sexual content, which needs the mode spicy.',
  policy: 'The content policy refuses this prompt.',
}
