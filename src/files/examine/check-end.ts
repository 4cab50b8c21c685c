import { FileRefused } from '../file-refused.ts'

/**
 * Holds the end that a file's own structure gives against the end of the file.
 * @param called Completes the sentence “The file is …”.
 * @param end One past its last byte; infinite where something is missing.
 * @throws FileRefused where bytes are missing, or where something else is glued on behind.
 */
export function checkEnd(called: string, end: number, sizeBytes: number): void {
  if (end > sizeBytes) throw new FileRefused('broken', { found: `${called} that is cut short`, allowed: 'whole files' })
  if (end === sizeBytes) return
  throw new FileRefused('not_allowed', {
    found: `${called} with ${sizeBytes - end} bytes of something else behind its end`,
    allowed: 'files that are one thing only',
  })
}
