/** Two of the four documented examples of `error_message`; by the other two the job failed for no reason of the request. */
const POLICY = /^inappropriate content/i
const WRONG_FILE = /^file type not supported/i

export function isPolicy(message: string): boolean {
  return POLICY.test(message)
}

export function isWrongFile(message: string): boolean {
  return WRONG_FILE.test(message)
}
