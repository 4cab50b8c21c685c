/**
 * Progress as upstreams write it, in percent: 42, 42.7, "42", "42%". `undefined` for what is none of these or lies outside
 * of 0–100: it says nothing, and nothing hangs on it.
 */
export function readProgress(progress: unknown): number | undefined {
  const percent = typeof progress === 'string' ? percentOf(progress) : progress
  return typeof percent === 'number' && percent >= 0 && percent <= 100 ? Math.floor(percent) : undefined
}

function percentOf(text: string): number | undefined {
  return /^\s*\d{1,3}(\.\d+)?\s*%?\s*$/.test(text) ? Number.parseFloat(text) : undefined
}
