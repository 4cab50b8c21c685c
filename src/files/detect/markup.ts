/** Bytes that may stand before the first tag: a mark of the encoding, blanks, an XML declaration, comments, a DOCTYPE. */
const LEADING = /^\uFEFF?(?:\s+|<\?xml[^>]*>|<!--[\s\S]*?-->|<!DOCTYPE\s+svg[^>[]*(?:\[[\s\S]*?\]\s*)?>)*/i

/** What a text of tags is, from its head: `an SVG image`, `an HTML page`, …; `undefined` where it is none. */
export function markup(head: Buffer): string | undefined {
  const whole = head.toString('utf8')
  if (!/^\uFEFF?\s*</.test(whole)) return undefined
  const text = whole.replace(LEADING, '')
  if (/^<(?:[\w-]+:)?svg[\s>/]/i.test(text) || /^\uFEFF?\s*<!DOCTYPE\s+svg/i.test(whole)) return 'an SVG image'
  if (/^<(?:!doctype\s+html|html|head|body|script|iframe|div|p|h1|title|meta)[\s>/]/i.test(text)) return 'an HTML page'
  if (/^<\?(?:php|=)/i.test(text)) return 'a PHP script'
  // Comments so long that the first tag is beyond the head may hide any of them.
  if (/<svg[\s>/]/i.test(whole)) return 'an SVG image'
  return 'HTML or XML'
}
