import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { AssetGone } from '../../../src/providers/provider.ts'
import { downloadAsset } from '../../../src/tasks/download-asset.ts'
import type { FaultTarget } from '../upstream/fault.ts'
import { FIRST_KEY } from '../upstream/scripted-upstream.ts'
import { downloaded, neverAborted, ProviderBench } from './provider-bench.ts'
import type { ProviderCase } from './provider-case.ts'

/** Neither the beginning nor the end. */
const MIDDLE_BYTE = 123_457

export function describeResults(adapter: ProviderCase): void {
  const { results } = adapter
  describe('a finished video', () => {
    it('is downloaded byte for byte, as often as wanted', async () => {
      await using bench = await ProviderBench.open(adapter)
      const asset = await bench.asset(await bench.accepted())
      for (let time = 0; time < 2; time += 1) {
        const { fromByte, bytes } = await downloaded(asset)
        assert.equal(fromByte, 0)
        assert.ok(bytes.equals(bench.upstream.video))
      }
    })

    it('is downloaded from the middle, or as a whole where that is not to be had', async () => {
      for (const honoursRanges of [true, false]) {
        await using bench = await ProviderBench.open(adapter)
        bench.upstream.honoursRanges = honoursRanges
        const asset = await bench.asset(await bench.accepted())
        const { fromByte, bytes } = await downloaded(asset, MIDDLE_BYTE)
        if (results !== 'inline') assert.equal(fromByte, honoursRanges ? MIDDLE_BYTE : 0)
        assert.ok(bytes.equals(bench.upstream.video.subarray(fromByte)))
      }
    })

    if (results === 'inline') return
    const target: FaultTarget = results === 'link' ? 'file' : 'content'

    it('is whole after a download that broke, with ranges and without', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'reelay-provider-'))
      try {
        for (const honoursRanges of [true, false]) {
          await using bench = await ProviderBench.open(adapter)
          bench.upstream.honoursRanges = honoursRanges
          const asset = await bench.asset(await bench.accepted())
          bench.upstream.script(target, { kind: 'cut body', atByte: MIDDLE_BYTE })
          const path = join(folder, `${honoursRanges}.mp4`)
          await downloadAsset(asset, { path, signal: neverAborted() })
          assert.ok((await readFile(path)).equals(bench.upstream.video))
          assert.equal(bench.upstream.jobs.length, 1)
        }
      } finally {
        await rm(folder, { recursive: true })
      }
    })

    it('is plain where its host compresses it, also after a download that broke', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'reelay-provider-'))
      try {
        await using bench = await ProviderBench.open(adapter)
        const asset = await bench.asset(await bench.accepted())
        const coded = { kind: 'coded', coding: 'gzip' } as const
        bench.upstream.script(target, coded, { kind: 'cut body', atByte: MIDDLE_BYTE }, coded)
        assert.ok((await downloaded(asset)).bytes.equals(bench.upstream.video))
        const path = join(folder, 'video.mp4')
        await downloadAsset(asset, { path, signal: neverAborted() })
        assert.ok((await readFile(path)).equals(bench.upstream.video))
      } finally {
        await rm(folder, { recursive: true })
      }
    })

    it('throws AssetGone where the link has run out, and another error where the host is ill', async () => {
      await using bench = await ProviderBench.open(adapter)
      const operation = await bench.accepted()
      const asset = await bench.asset(operation)
      bench.upstream.script(target, { kind: 'status', status: 503 })
      await assert.rejects(downloaded(asset), (error: Error) => !(error instanceof AssetGone))
      bench.upstream.script(target, { kind: 'status', status: 410 })
      await assert.rejects(downloaded(asset), AssetGone)
    })

    if (results === 'content') {
      it('is followed to another host, and the key stays behind', async () => {
        await using bench = await ProviderBench.open(adapter)
        const asset = await bench.asset(await bench.accepted())
        const [job] = bench.upstream.jobs
        assert.ok(job !== undefined)
        const location = bench.upstream.linkTo(job)
        bench.upstream.script('content', { kind: 'status', status: 302, headers: { location } })
        const { fromByte, bytes } = await downloaded(asset, MIDDLE_BYTE)
        assert.equal(fromByte, MIDDLE_BYTE)
        assert.ok(bytes.equals(bench.upstream.video.subarray(MIDDLE_BYTE)))
        const fetched = bench.upstream.received.filter(({ target: each }) => each === 'file')
        assert.equal(fetched.length, 1)
        assert.ok(!JSON.stringify(fetched[0]?.headers).includes(FIRST_KEY))
      })
    }

    if (results !== 'link') return

    it('has a new link after a new poll', async () => {
      await using bench = await ProviderBench.open(adapter)
      const operation = await bench.accepted()
      const asset = await bench.asset(operation)
      bench.upstream.expireLinks()
      await assert.rejects(downloaded(asset), AssetGone)
      const { bytes } = await downloaded(await bench.asset(operation))
      assert.ok(bytes.equals(bench.upstream.video))
    })

    it('is fetched from the file host without a key', async () => {
      await using bench = await ProviderBench.open(adapter)
      await downloaded(await bench.asset(await bench.accepted()))
      const fetched = bench.upstream.received.filter((request) => request.target === 'file')
      assert.equal(fetched.length, 1)
      assert.ok(!JSON.stringify(fetched[0]?.headers).includes(FIRST_KEY))
    })

    it('is not fetched from a private network that the operator did not allow', async () => {
      await using bench = await ProviderBench.open(adapter, { fetchPolicy: { allowNets: [], resolve: async () => [] } })
      const asset = await bench.asset(await bench.accepted())
      await assert.rejects(downloaded(asset))
      assert.equal(bench.upstream.count('file'), 0)
    })
  })
}
