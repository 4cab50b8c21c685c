/**
 * Identifiers. Inside, every id is a UUIDv7, so rows arrive in index order; outside it wears a prefix that says what it
 * names: `task_0199f0…` (32 hex digits). A dialect may dress the same UUID in its own form and map it back.
 */
import { randomFillSync } from 'node:crypto'

declare const brand: unique symbol

/** `<prefix>_<32 hex digits>`; the brand keeps an account id from being passed where a task id belongs. */
export type Id<Prefix extends string> = string & { readonly [brand]: Prefix }

export type AccountId = Id<'acct'>
export type KeyId = Id<'key'>
export type TaskId = Id<'task'>
export type AttemptId = Id<'att'>
export type MediaId = Id<'med'>
/** A customer's file: uploaded, or fetched for a request. */
export type FileId = Id<'file'>

const HEX_ID = /^[0-9a-f]{32}$/

/** Milliseconds of the last id and its 12-bit counter, so ids made within one millisecond still sort in order. */
let lastMs = 0
let counter = 0

/** Random bytes for some hundred ids at once: to ask the system for them costs as much for ten as for a thousand. */
const pool = Buffer.alloc(4_096)
let poolUsed = pool.length

function randomBytes(length: number): Buffer {
  if (poolUsed + length > pool.length) {
    randomFillSync(pool)
    poolUsed = 0
  }
  poolUsed += length
  return pool.subarray(poolUsed - length, poolUsed)
}

/** A new UUIDv7 (RFC 9562, 5.7) as 32 hex digits; monotonic within this process. */
function uuidV7Hex(): string {
  const now = Date.now()
  if (now > lastMs) {
    lastMs = now
    counter = randomBytes(2).readUInt16BE() & 0x07ff
  } else if (++counter > 0x0fff) {
    lastMs += 1
    counter = 0
  }
  const time = lastMs.toString(16).padStart(12, '0')
  const tail = randomBytes(8)
  tail[0] = (tail.readUInt8(0) & 0x3f) | 0x80
  return `${time}7${counter.toString(16).padStart(3, '0')}${tail.toString('hex')}`
}

/** A fresh id with the given prefix. */
export function newId<Prefix extends string>(prefix: Prefix): Id<Prefix> {
  return `${prefix}_${uuidV7Hex()}` as Id<Prefix>
}

/** The id in dashed UUID form, as the database stores it. */
export function uuidOf(id: Id<string>): string {
  const hex = id.slice(id.indexOf('_') + 1)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The id for a dashed UUID that the database returned. */
export function idOf<Prefix extends string>(prefix: Prefix, uuid: string): Id<Prefix> {
  return `${prefix}_${uuid.replaceAll('-', '')}` as Id<Prefix>
}

/** Reads an id that a caller sent; `undefined` if it is not one of this prefix. */
export function parseId<Prefix extends string>(prefix: Prefix, text: string): Id<Prefix> | undefined {
  if (!text.startsWith(`${prefix}_`)) return undefined
  return HEX_ID.test(text.slice(prefix.length + 1)) ? (text as Id<Prefix>) : undefined
}

/** 8-4-4-4-12 hex digits. */
const DASHED_UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Reads a task's id in the form of any dialect, for a task made in one can be read in each: `task_<hex>`, `video_<hex>`,
 * or a dashed UUID.
 */
export function parseTaskId(text: string): TaskId | undefined {
  if (DASHED_UUID.test(text)) return idOf('task', text)
  return parseId('task', text.replace(/^video_/, 'task_'))
}
