-- Tasks. The row is the job: workers lease due rows, and every write names the fencing token of its lease.

create table tasks (
  id                  uuid primary key,
  wallet_id           bigint      not null references wallets,
  -- Where it stands in its wallet's lists. Assigned while its wallet is locked, so a wallet's tasks become visible in this
  -- order, whatever the clock of the node that made the id.
  position            bigint      not null generated always as identity,
  dialect             text        not null,
  model               text        not null,
  -- The validated request that providers are given.
  request             jsonb       not null,
  -- The body as the customer sent it, where reads of its dialect show it. json keeps it as it was written; jsonb would write
  -- each number out, so that 1e308 comes back as 309 digits.
  body                json,
  client_request_id   text,
  -- The request that created it, as in the log.
  trace_id            uuid        not null,
  -- Told when the task has ended, and given the finished video: see deliveries.
  callback_url        text,
  upload_url          text,
  -- Quoted at creation and never recomputed.
  price_credits       bigint      not null check (price_credits >= 0),
  final_credits       bigint      not null default 0 check (final_credits between 0 and price_credits),
  state               text        not null default 'queued'
    check (state in ('queued', 'submitting', 'running', 'collecting', 'succeeded', 'failed', 'canceled', 'expired')),
  provider            text        not null,
  progress            smallint    not null default 0 check (progress between 0 and 100),
  failure_reason      text,
  failure_message     text,
  fence               bigint      not null default 0,
  -- Calls in a row, starts or polls, that the provider did not answer; the interval grows with it.
  unanswered_polls    integer     not null default 0,
  -- Polls in a row to which the provider said that it does not know the job.
  gone_polls          integer     not null default 0,
  -- Whether it takes one of its provider's slots while it is open: not once the provider is done with it, or does not know it.
  holds_slot          boolean     not null default true,
  -- Looks at the finished job that found no video to take, by the provider's doing; after a few its answer is final.
  collect_faults      integer     not null default 0,
  -- Jobs of it that a provider took and then lost; after a few it is begun anew no more.
  lost_jobs           integer     not null default 0,
  -- When the next step is due. While a step is under way it equals lease_until.
  due_at              timestamptz not null default now(),
  -- For when the last look was taken, or is to be, that a provider's webhook asked for; infinity: it asked while a step
  -- was under way, and is heeded after it.
  hinted_at           timestamptz,
  lease_owner         text,
  lease_until         timestamptz,
  -- Until when the step before its end may be waited for. It moves on by the time in which no worker took a due step up.
  deadline_at         timestamptz not null,
  cancel_requested_at timestamptz,
  created_at          timestamptz not null default now(),
  updated_at          timestamptz not null default now(),
  started_at          timestamptz,
  finished_at         timestamptz,
  -- Taken out of every list by its owner.
  removed_at          timestamptz,
  -- Parked: in the hands of no worker until an operator decides, or its provider returns. While an open task is parked, due_at
  -- and deadline_at are infinite, so that no claim and no expiry finds it, and parked_left is what was left of its time.
  parked_at           timestamptz,
  parked_because      text        check (parked_because in ('restored', 'provider_missing')),
  parked_left         interval,
  constraint parked_says_why check (num_nulls(parked_at, parked_because, parked_left) in (0, 3)),
  constraint failed_says_why check ((state = 'failed') = (failure_reason is not null)),
  constraint only_success_costs check (final_credits = 0 or state = 'succeeded')
);
create index tasks_queued on tasks (provider, wallet_id, created_at, id)
  where state = 'queued' and parked_at is null;
create index tasks_due on tasks (provider, due_at) where state in ('submitting', 'running', 'collecting');
-- Those to be started are looked for by themselves, beside thousands that are due to be polled.
create index tasks_to_start on tasks (provider, due_at) where state = 'submitting';
create index tasks_active on tasks (wallet_id)
  where state in ('submitting', 'running', 'collecting') and parked_at is null;
create index tasks_parked on tasks (id)
  where parked_at is not null and state in ('queued', 'submitting', 'running', 'collecting');
create index tasks_queue_deadline on tasks (deadline_at) where state = 'queued';
create index tasks_listed on tasks (wallet_id, position) where removed_at is null;
create index tasks_listed_by_state on tasks (wallet_id, state, position) where removed_at is null;

alter table ledger_transfers add foreign key (task_id) references tasks;

create function refuse_terminal_change() returns trigger language plpgsql as $$
begin
  raise exception 'task % is %: a terminal state is final', old.id, old.state using errcode = 'restrict_violation';
end $$;
create trigger tasks_terminal_is_final before update of state on tasks for each row
  when (old.state in ('succeeded', 'failed', 'canceled', 'expired') and new.state is distinct from old.state)
  execute function refuse_terminal_change();

-- One row for each time that a provider was, or was about to be, asked. Committed before the call.
create table attempts (
  id          uuid primary key,
  task_id     uuid        not null references tasks,
  number      integer     not null check (number >= 1),
  provider    text        not null,
  state       text        not null default 'starting'
    check (state in ('starting', 'accepted', 'rejected', 'undelivered', 'uncertain', 'lost', 'succeeded', 'failed', 'canceled', 'expired')),
  -- Names the provider's key that it was made with, without telling it: a repeat goes with the same.
  credential  text,
  operation   jsonb,
  -- What its start keeps, so that a repeat says the very same.
  kept        jsonb,
  -- Of a rejected one: request, policy, busy or credentials. Of one that failed: result, where the provider made something else
  -- than was asked for, or nothing.
  because     text,
  error       text,
  started_at  timestamptz not null default now(),
  accepted_at timestamptz,
  ended_at    timestamptz,
  -- What the provider charges for it, as far as its operator has said; null is unknown, which is not 0.
  cost_micro_usd bigint check (cost_micro_usd >= 0),
  unique (task_id, number)
);
-- Jobs under way by their ids at the provider: what a webhook names them by. Few, whatever the table has grown to. A job is one
-- task's: its video is nobody else's, and is charged once.
create unique index attempts_by_job on attempts (provider, (operation ->> 'id')) where state = 'accepted';
create index attempts_uncertain on attempts (started_at) where state = 'uncertain';

-- What a task produced, as it lies in the store. Rows outlive their files, so that a task can say what became of them.
create table media (
  id               uuid primary key,
  task_id          uuid        not null references tasks,
  kind             text        not null check (kind in ('video', 'poster', 'spritesheet', 'manifest')),
  store_key        text        not null unique,
  mime_type        text        not null,
  size_bytes       bigint      not null check (size_bytes > 0),
  sha256           bytea       not null check (octet_length(sha256) = 32),
  width            integer,
  height           integer,
  duration_seconds numeric(12, 6),
  created_at       timestamptz not null default now(),
  expires_at       timestamptz not null,
  -- Set while a file that could not be deleted waits for its next turn, behind those that became due meanwhile.
  delete_again_at  timestamptz,
  deleted_at       timestamptz,
  unique (task_id, kind)
);
create index media_to_delete on media (coalesce(delete_again_at, expires_at)) where deleted_at is null;

create table idempotency_keys (
  wallet_id   bigint      not null references wallets,
  key         text        not null,
  fingerprint bytea       not null,
  task_id     uuid        not null references tasks,
  created_at  timestamptz not null default now(),
  primary key (wallet_id, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);

-- When a wallet last had a task admitted: among equals, whoever waited longest goes first. Without a reference to the wallet: its
-- check would wait for a session that holds the wallet, and with it the admissions of all wallets. Wallets are never deleted.
create table admissions (
  wallet_id        bigint primary key,
  last_admitted_at timestamptz not null
);

-- Workers that are alive, for readiness and for leases of the dead.
create table workers (
  id         text primary key,
  started_at timestamptz not null default now(),
  seen_at    timestamptz not null default now(),
  -- Those that it drives. A provider that no live worker has is missing: its tasks wait for nothing.
  providers  text[]      not null default '{}',
  -- Why it cannot store videos, and so begins no new jobs; null while it can.
  storage_fault text
);
