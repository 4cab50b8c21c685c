/** What reloads leave behind: nothing, however many there are. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ConfigError } from '../config/config-error.ts'
import { type ReadProviderConfig, readProviderConfig } from '../config/read-provider-config.ts'
import { fetchPolicy } from '../media/fetch-policy.ts'
import { ADAPTERS } from '../providers/index.ts'
import { ProviderSet } from '../tasks/provider-set.ts'
import { ProviderPlans } from './provider-plan.ts'

const RELOADS = 50
const PROVIDER = { kind: 'xai', baseUrl: 'http://127.0.0.1:9/v1' }

describe('providers over many reloads', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelay-plans-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  async function configOf(providers: Readonly<Record<string, unknown>>): Promise<ReadProviderConfig> {
    const file = join(folder, 'reelay.config.json')
    await writeFile(file, JSON.stringify({ providers, models: { '*': { providers: Object.keys(providers) } } }))
    return await readProviderConfig(file, { environment: {}, kinds: Object.keys(ADAPTERS), models: [] })
  }

  async function openPlans(first: ReadProviderConfig): Promise<{ plans: ProviderPlans; providers: ProviderSet }> {
    const plans = new ProviderPlans({ animatic: [], fetchPolicy: fetchPolicy([]) })
    const providers = new ProviderSet(plans.make(first), { release: (provider) => void plans.close(provider) })
    return { plans, providers }
  }

  test('those that were replaced are closed', async () => {
    const config = await configOf({ first: PROVIDER, second: PROVIDER })
    const { plans, providers } = await openPlans(config)
    for (let count = 0; count < RELOADS; count += 1) providers.replace(plans.make(config))
    assert.equal(plans.openCount, 2)
    await plans[Symbol.asyncDispose]()
    assert.equal(plans.openCount, 0)
  })

  test('one that a step works with is closed when the last such step is over', async () => {
    const config = await configOf({ main: PROVIDER })
    const { plans, providers } = await openPlans(config)
    const [active] = providers.all
    assert.ok(active !== undefined)
    const steps = [active.enter(), active.enter()]
    const later = []
    for (let count = 0; count < RELOADS; count += 1) providers.replace(plans.make(config))
    later.push(active.enter())
    assert.equal(plans.openCount, 2, 'the one that the steps work with, and the latest')
    assert.equal(steps[0]?.provider, steps[1]?.provider)
    assert.notEqual(steps[0]?.provider, later[0]?.provider)
    steps[0]?.[Symbol.dispose]()
    assert.equal(plans.openCount, 2)
    steps[1]?.[Symbol.dispose]()
    assert.equal(plans.openCount, 1)
    later[0]?.[Symbol.dispose]()
    assert.equal(plans.openCount, 1, 'the configured one stays')
  })

  test('those that are gone from the file are forgotten once they have no open task and no step', async () => {
    const { plans, providers } = await openPlans(await configOf({ kept: PROVIDER }))
    for (let count = 0; count < RELOADS; count += 1) {
      providers.replace(plans.make(await configOf({ [`provider-${count}`]: PROVIDER })))
      for (const name of providers.forgetRetired(new Set(['kept']))) plans.forget(name)
    }
    const names = () => providers.all.map(({ provider }) => provider.id)
    assert.deepEqual(names(), ['kept', `provider-${RELOADS - 1}`])
    const kept = providers.all.find(({ provider }) => provider.id === 'kept')
    const step = kept?.enter()
    assert.deepEqual(providers.forgetRetired(new Set()), [], 'a step works with it')
    step?.[Symbol.dispose]()
    assert.deepEqual(providers.forgetRetired(new Set()), ['kept'])
    assert.equal(kept?.isForgotten, true)
    assert.equal(plans.openCount, 1)
    // Its name may mean another one now.
    plans.forget('kept')
    const moved = await configOf({ kept: { ...PROVIDER, baseUrl: 'http://127.0.0.1:10/v1' } })
    providers.replace(plans.make(moved))
    assert.equal(plans.openCount, 2)
  })

  test('a file that is refused leaves nothing open', async () => {
    const { plans } = await openPlans(await configOf({ main: PROVIDER }))
    const wrong = await configOf({ main: PROVIDER, other: PROVIDER, third: { ...PROVIDER, callback: true } })
    for (let count = 0; count < RELOADS; count += 1) assert.throws(() => plans.make(wrong), ConfigError)
    assert.equal(plans.openCount, 1)
  })
})
