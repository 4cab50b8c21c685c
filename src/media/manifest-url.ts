/** Where the manifest of a video is, for who holds a link to the video: below it, under the same signature. */
export function manifestUrl(videoUrl: string): string {
  const url = new URL(videoUrl)
  url.pathname += '/manifest.json'
  return url.href
}
