/**
 * Imported first by a process that its parent ends. Ctrl-C and a service manager signal the whole group: the parent
 * finishes what is under way, and needs this process for it.
 */
import process from 'node:process'

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
