-- What an installation knows itself by: a copy of its database, restored or cloned, is told from the original.

-- One row, made by the first process that serves or imports.
create table installation (
  is_only     boolean     primary key default true check (is_only),
  -- Of the database and of its store, for life; a restored backup keeps it.
  id          uuid        not null default gen_random_uuid(),
  -- Goes up whenever the database is found to be a copy. `incarnation` is new then, too: two copies of one database have the
  -- same epoch and are told apart by it.
  epoch       integer     not null default 1 check (epoch >= 1),
  incarnation uuid        not null default gen_random_uuid(),
  epoch_since timestamptz not null default now(),
  -- Where the database lies; null until it is first served, and after an import.
  place       jsonb,
  -- Goes up every minute and is written into the store: a database that is behind its store was set back.
  mark        bigint      not null default 0,
  -- When a store first got the identity of this installation.
  store_since timestamptz
);

-- Begins an epoch: this database is a copy, as of `in_copied_at`. What was open then may have gone on, and ended, in the
-- original, so all of it is parked until an operator decides: open tasks with what was left of their time, and deliveries that
-- are to be made. Leases and workers are the original's. Returns what was parked.
create function begin_epoch(in_copied_at timestamptz) returns table (epoch integer, tasks bigint, deliveries bigint)
language plpgsql as $$
#variable_conflict use_column
begin
  insert into installation default values on conflict do nothing;
  update installation set epoch = epoch + 1, incarnation = gen_random_uuid(), epoch_since = now(), place = null
    returning installation.epoch into epoch;
  delete from workers;
  with parked as (
    update tasks t set
      parked_at = coalesce(t.parked_at, now()), parked_because = 'restored',
      parked_left = case when t.parked_at is null then t.deadline_at - in_copied_at else t.parked_left end,
      due_at = 'infinity', deadline_at = 'infinity', fence = t.fence + 1, lease_owner = null, lease_until = null, hinted_at = null
    where t.state in ('queued', 'submitting', 'running', 'collecting')
    returning t.id
  )
  select count(*) into tasks from parked;
  with parked as (
    update deliveries d set
      parked_at = coalesce(d.parked_at, now()), due_at = 'infinity', fence = d.fence + 1, lease_owner = null, lease_until = null
    where d.state = 'pending'
    returning d.id
  )
  select count(*) into deliveries from parked;
  return next;
end $$;
