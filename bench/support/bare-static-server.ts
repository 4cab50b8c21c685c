/** What a download costs with nothing around it: a bare `node:http` server that streams one file, whoever asks. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import process from 'node:process'
import { pipeline } from 'node:stream/promises'

const path = process.argv[2] ?? ''
const { size } = await stat(path)
const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': size })
  // A client that leaves is no matter here.
  void pipeline(createReadStream(path), response).catch(() => {})
})
process.once('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`)
})
