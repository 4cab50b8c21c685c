/** Characters of a URL. Presigned URLs with session tokens come to some 2,000; proxies cut at 8,000. */
export const MAX_URL_CHARACTERS = 4_096
