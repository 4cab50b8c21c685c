import { hash, randomBytes } from 'node:crypto'
import { WALLET_MODES, type WalletMode } from '../canonical/wallet-mode.ts'

/** 24 random bytes: 192 bits, so that a plain SHA-256 of a key cannot be searched and needs no slow hash. */
const SECRET_BYTES = 24

/** How much of a key may be shown again: its mode and enough characters to tell keys apart. */
const PREFIX_CHARACTERS = 'rly_live_'.length + 6

const KEY_FORM = /^rly_(live|test)_[A-Za-z0-9_-]{32,128}$/

/** A new key: `rly_live_…` or `rly_test_…`. The only moment at which it exists in the clear. */
export function newKeySecret(mode: WalletMode): string {
  return `rly_${mode}_${randomBytes(SECRET_BYTES).toString('base64url')}`
}

/** The mode that a text of a key's form announces; `undefined` if it is not of that form. */
export function modeOfSecret(secret: string): WalletMode | undefined {
  const word = KEY_FORM.exec(secret)?.[1]
  return WALLET_MODES.find((mode) => mode === word)
}

export function hashSecret(secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}

export function prefixOf(secret: string): string {
  return secret.slice(0, PREFIX_CHARACTERS)
}
