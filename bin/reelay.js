#!/usr/bin/env node
// Node 20 cannot read TypeScript by itself: tsx can, and is harmless where Node can.
import { register } from 'tsx/esm/api'

register()
await import('../src/cli/main.ts')
