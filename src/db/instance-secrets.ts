import { randomBytes } from 'node:crypto'
import type { Queryable } from './database.ts'

/**
 * A random secret of this installation, `bytes` long: read, or made on first use. Nodes that start at once agree on it,
 * because only one insert wins and all of them read what it wrote.
 */
export async function instanceSecret(db: Queryable, name: string, bytes: number): Promise<Buffer> {
  const known = await selectSecret(db, name)
  if (known !== undefined) return checked(known, name, bytes)
  await db.query('insert into instance_secrets (name, value) values ($1, $2) on conflict (name) do nothing', [
    name,
    randomBytes(bytes),
  ])
  const made = await selectSecret(db, name)
  if (made === undefined) throw new Error(`The secret ${name} was deleted while it was read.`)
  return checked(made, name, bytes)
}

async function selectSecret(db: Queryable, name: string): Promise<Buffer | undefined> {
  const { rows } = await db.query<{ value: Buffer }>('select value from instance_secrets where name = $1', [name])
  return rows[0]?.value
}

/** A shorter one would weaken what it protects; the caller's constant and the stored secret have parted. */
function checked(value: Buffer, name: string, bytes: number): Buffer {
  if (value.length !== bytes) throw new Error(`The secret ${name} has ${value.length} bytes and should have ${bytes}.`)
  return value
}
