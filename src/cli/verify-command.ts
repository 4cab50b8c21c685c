import process from 'node:process'
import { Command } from 'commander'
import { hashFile } from '../media/hash-file.ts'
import type { Manifest } from '../media/manifest.ts'
import { keyIdOf } from '../media/public-key.ts'
import { readMark } from '../media/read-mark.ts'
import type { Provenance } from '../media/xmp.ts'
import { findManifest } from './find-manifest.ts'
import { findPublicKey } from './find-public-key.ts'
import { type Evidence, judgeVideo, type VideoVerdict } from './judge-video.ts'
import { type OutputOptions, print } from './output.ts'
import { printable } from './printable.ts'

interface VerifyOptions extends OutputOptions {
  readonly manifest?: string
  readonly url?: string
  readonly key?: string
  readonly prompt?: string
}

/** `reelay verify <file>`: whether a video is the very file that an installation made. Exits with 1 when it is not shown. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description('confirm that a video is the very one that its signed manifest tells of')
    .argument('<file>', 'the video')
    .option('--manifest <file>', 'its manifest (else <file>.manifest.json or manifest.json beside it, else the server)')
    .option('--url <url>', 'the server that made it (REELAY_URL, else the installation on this machine)')
    .option('--key <key>', "the server's public key, or a file with it")
    .option('--prompt <text>', 'confirm that this was the prompt, too')
    .option('--json', 'print JSON')
    .action(async (file: string, options: VerifyOptions) => {
      const url = (options.url ?? process.env['REELAY_URL'])?.replace(/\/+$/, '')
      const sha256 = await hashFile(file)
      const mark = await readMark(file)
      const found = await findManifest({ file, manifest: options.manifest, url, mark })
      const publicKey = await findPublicKey({ ...options, ...(url === undefined ? {} : { url }) })
      const evidence = { sha256, found, mark, publicKey, prompt: options.prompt }
      const verdict = judgeVideo(evidence)
      print(options, jsonOf(verdict, evidence), linesOf(verdict, evidence))
      process.exitCode = verdict.kind === 'genuine' ? 0 : 1
    })
}

function jsonOf(verdict: VideoVerdict, { sha256, found, mark, publicKey, prompt }: Evidence): object {
  const isGenuine = verdict.kind === 'genuine'
  return {
    verdict: verdict.kind,
    reason: isGenuine ? null : verdict.why,
    message: isGenuine ? null : verdict.message,
    sha256,
    key_id: keyIdOf(publicKey),
    manifest_source: found?.source ?? null,
    manifest: isGenuine ? verdict.manifest : null,
    prompt_confirmed: isGenuine && prompt !== undefined ? true : null,
    mark: mark === undefined ? null : { model: mark.model, provider: mark.provider, task_id: mark.taskId },
  }
}

function linesOf(verdict: VideoVerdict, evidence: Evidence): string[] {
  if (verdict.kind === 'genuine') return ['genuine', ...manifestLines(verdict.manifest, evidence)]
  return [`refused: ${verdict.message}`, ...markLines(evidence.mark), `sha256    ${evidence.sha256}`]
}

function manifestLines(manifest: Manifest, { found, prompt }: Evidence): string[] {
  return [
    `model     ${manifest.model}`,
    `provider  ${manifest.provider}`,
    `created   ${manifest.created_at}`,
    `made by   ${manifest.digital_source_type === 'algorithmicMedia' ? 'a program, no AI model' : 'an AI model'}`,
    `task      ${manifest.task_id}`,
    `prompt    ${prompt === undefined ? '' : 'as given, '}sha256 ${manifest.prompt_sha256}`,
    `file      sha256 ${manifest.media_sha256}, ${manifest.media_size_bytes} bytes`,
    `signed    ${manifest.key_id}, ${found?.source ?? ''}`,
  ]
}

/** What an unconfirmed file says of itself. */
function markLines(mark: Provenance | undefined): string[] {
  if (mark === undefined) return []
  const [model, provider, task] = [mark.model, mark.provider, mark.taskId].map(printable)
  return [`its mark  model ${model}, provider ${provider}, task ${task}`]
}
