import type pg from 'pg'

/** A table of schema `public` and what an export or import needs to know of it. */
export interface UserTable {
  readonly name: string
  /** Those that hold values of their own: generated ones are computed again. */
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  /** Columns of the primary key; empty if there is none. */
  readonly key: readonly string[]
  /** Other tables that foreign keys lead to. */
  readonly references: readonly string[]
}

/** The record of migrations is made by migrating, so it is neither exported nor imported. */
const MIGRATIONS_TABLE = 'schema_migrations'

/**
 * The tables, each after those that it refers to.
 * @throws Error if foreign keys form a circle through several tables: then there is no such order.
 */
export async function readUserTables(client: Pick<pg.ClientBase, 'query'>): Promise<UserTable[]> {
  const { rows } = await client.query<UserTable>(
    `select c.relname as name,
       (select coalesce(jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod))
                                  order by a.attnum), '[]')
          from pg_attribute a
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
       (select coalesce(jsonb_agg(a.attname order by k.position), '[]')
          from pg_constraint p cross join unnest(p.conkey) with ordinality as k (attnum, position)
          join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
          where p.conrelid = c.oid and p.contype = 'p') as key,
       (select coalesce(jsonb_agg(distinct r.relname), '[]')
          from pg_constraint f join pg_class r on r.oid = f.confrelid
          where f.conrelid = c.oid and f.contype = 'f' and f.confrelid <> c.oid) as references
     from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> $1
     order by c.relname`,
    [MIGRATIONS_TABLE],
  )
  return inDependencyOrder(rows)
}

function inDependencyOrder(tables: readonly UserTable[]): UserTable[] {
  const ordered: UserTable[] = []
  const waiting = new Map(tables.map((table) => [table.name, table]))
  while (waiting.size > 0) {
    const ready = [...waiting.values()].filter((table) => !table.references.some((name) => waiting.has(name)))
    if (ready.length === 0) throw new Error(`Foreign keys form a circle: ${[...waiting.keys()].join(', ')}.`)
    for (const table of ready) waiting.delete(table.name)
    ordered.push(...ready)
  }
  return ordered
}
