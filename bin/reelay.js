#!/usr/bin/env node
// Node 20 cannot read TypeScript by itself: tsx can, and is harmless where Node can. What it translates with is a process
// that stays beside this one and inherits the environment of the moment: it is begun while no secret is in that.
import process from 'node:process'
import { register } from 'tsx/esm/api'

/** What a process needs to run at all; as `src/isolation/child-environment.ts` has it. */
const PASSED = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot', 'LD_LIBRARY_PATH', 'NODE_OPTIONS']

const kept = Object.entries(process.env).filter(([name]) => !PASSED.includes(name))
for (const [name] of kept) delete process.env[name]
register()
// The first file that is translated begins the process.
await import('../src/isolation/child-environment.ts')
Object.assign(process.env, Object.fromEntries(kept))
await import('../src/cli/main.ts')
