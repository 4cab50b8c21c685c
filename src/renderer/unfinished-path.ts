/** Where a clip is written until it is whole; then it is renamed, so that no reader ever meets half a file. */
export function unfinishedPath(outputPath: string): string {
  return `${outputPath}.part`
}
