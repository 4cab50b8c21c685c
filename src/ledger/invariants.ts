import type { Queryable } from '../db/database.ts'

/** A row that breaks a rule of the ledger. There must never be one. */
export interface Violation {
  readonly rule: string
  readonly subject: string
  readonly found: string
}

/**
 * Recomputes everything that the ledger promises from its transfers and the tasks, and returns the rows that break a
 * promise. It trusts no stored total. `reelay doctor` and every test of money end with it.
 */
export async function findViolations(db: Queryable): Promise<Violation[]> {
  const { rows } = await db.query<{ rule: string; subject: string; found: string }>(VIOLATIONS)
  return rows
}

const VIOLATIONS = `
with sums as (
  select wallet_id, bucket, sum(amount) as amount from ledger_entries group by wallet_id, bucket
),
recomputed as (
  select w.id,
    coalesce(-sum(s.amount) filter (where s.bucket = 'issued'), 0)   as granted,
    coalesce(sum(s.amount) filter (where s.bucket = 'available'), 0) as available,
    coalesce(sum(s.amount) filter (where s.bucket = 'held'), 0)      as held,
    coalesce(sum(s.amount) filter (where s.bucket = 'spent'), 0)     as spent
  from wallets w left join sums s on s.wallet_id = w.id group by w.id
),
per_task as (
  select t.id, t.wallet_id, t.state, t.price_credits, t.final_credits,
    coalesce(sum(l.amount) filter (where l.kind = 'reserve'), 0) as reserved,
    coalesce(sum(l.amount) filter (where l.kind = 'capture'), 0) as captured,
    coalesce(sum(l.amount) filter (where l.kind = 'release'), 0) as released,
    coalesce(bool_and(l.wallet_id = t.wallet_id), true) as same_wallet
  from tasks t left join ledger_transfers l on l.task_id = t.id group by t.id
)
select 'balance is the sum of its entries' as rule, 'wallet ' || w.id as subject,
  format('stored %s/%s/%s/%s, entries %s/%s/%s/%s',
    w.granted, w.available, w.held, w.spent, r.granted, r.available, r.held, r.spent) as found
  from wallets w join recomputed r on r.id = w.id
  where (w.granted, w.available, w.held, w.spent) is distinct from (r.granted, r.available, r.held, r.spent)
union all
select 'no balance is negative, granted = available + held + spent', 'wallet ' || id,
  format('%s/%s/%s/%s', granted, available, held, spent)
  from recomputed where least(available, held, spent) < 0 or granted <> available + held + spent
union all
select 'a task reserves its price, in its own wallet', 'task ' || id, format('reserved %s of %s', reserved, price_credits)
  from per_task where reserved <> price_credits or not same_wallet
union all
select 'an open task has settled nothing', 'task ' || id, format('%s: captured %s, released %s', state, captured, released)
  from per_task where state in ('queued', 'submitting', 'running', 'collecting') and captured + released <> 0
union all
select 'an ended task is settled whole, and charged what it says', 'task ' || id,
  format('%s: reserved %s, captured %s, released %s, says %s', state, reserved, captured, released, final_credits)
  from per_task where state in ('succeeded', 'failed', 'canceled', 'expired')
    and (captured + released <> reserved or captured <> final_credits)
union all
select 'a failed, canceled or expired task costs nothing', 'task ' || id, format('%s: captured %s', state, captured)
  from per_task where state in ('failed', 'canceled', 'expired') and captured <> 0
union all
select 'what is held belongs to open tasks', 'wallet ' || r.id, format('held %s, open tasks %s', r.held, coalesce(o.price, 0))
  from recomputed r left join (
    select wallet_id, sum(price_credits) as price from tasks
    where state in ('queued', 'submitting', 'running', 'collecting') group by wallet_id
  ) o on o.wallet_id = r.id
  where r.held <> coalesce(o.price, 0)
union all
select 'a succeeded task has its video', 'task ' || t.id, 'no media row'
  from tasks t where t.state = 'succeeded' and not exists (select from media m where m.task_id = t.id and m.kind = 'video')
`
