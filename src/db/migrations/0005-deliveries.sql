-- What is to be told to customers, and brought to them, when a task has ended. settle_task writes these rows in the
-- transaction that ends the task. The row is the job, as with tasks: workers lease due rows, and every write names the
-- fencing token of its lease.

create table deliveries (
  -- What receivers tell repetitions by: the same in every attempt.
  id              uuid primary key,
  task_id         uuid        not null references tasks,
  account_id      uuid        not null references accounts,
  kind            text        not null check (kind in ('callback', 'upload')),
  url             text        not null,
  -- With its port: how many deliveries are under way at once is bounded for each.
  host            text        not null generated always as (coalesce(lower(substring(url from '^[^:]+://([^/?#]+)')), '')) stored,
  state           text        not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
  -- Attempts whose outcome is known. An attempt that a crash cut off is made again and counts once.
  attempts        integer     not null default 0 check (attempts >= 0),
  -- When the next attempt is due. While one is under way it equals lease_until.
  due_at          timestamptz not null default now(),
  fence           bigint      not null default 0,
  lease_owner     text,
  lease_until     timestamptz,
  -- The HTTP status of the last attempt, and what was wrong with it, in words.
  last_status     smallint,
  last_error      text,
  last_attempt_at timestamptz,
  created_at      timestamptz not null default now(),
  ended_at        timestamptz,
  -- Parked by a restore until an operator decides: due_at is infinite, so that no claim finds it.
  parked_at       timestamptz,
  unique (task_id, kind),
  constraint ended_says_when check ((state = 'pending') = (ended_at is null))
);
create index deliveries_due on deliveries (kind, due_at) where state = 'pending';
create index deliveries_parked on deliveries (id) where parked_at is not null and state = 'pending';
create index deliveries_listed on deliveries (state, created_at, id);
create index deliveries_ended on deliveries (ended_at) where state <> 'pending';

-- What callbacks of an account are signed with. In the clear, because signing needs it.
create table callback_secrets (
  id          uuid primary key,
  account_id  uuid        not null references accounts,
  value       bytea       not null check (octet_length(value) = 32),
  created_at  timestamptz not null default now(),
  -- Set when it is replaced: until then it goes on signing beside its successor.
  signs_until timestamptz
);
create unique index callback_secrets_current on callback_secrets (account_id) where signs_until is null;
create index callback_secrets_by_account on callback_secrets (account_id);
