-- The ledger: double entry, append-only.
--
-- A wallet is the credits of one account in one mode (live or test). A transfer moves credits between two of its four
-- buckets, so each transfer is two entries of opposite sign and their sum is zero by construction:
--
--   grant    issued    → available     credits are given
--   revoke   available → issued        credits that are still available are taken back
--   reserve  available → held          a task is accepted
--   capture  held      → spent         a task succeeded
--   release  held      → available     a task failed, was canceled or expired, or cost less than was held
--
-- Balances are a running total that only the trigger below may write. `granted` is the issued bucket with its sign turned.

create table wallets (
  id         bigint generated always as identity primary key,
  account_id uuid   not null references accounts,
  mode       text   not null check (mode in ('live', 'test')),
  granted    bigint not null default 0,
  available  bigint not null default 0 check (available >= 0),
  held       bigint not null default 0 check (held >= 0),
  spent      bigint not null default 0 check (spent >= 0),
  unique (account_id, mode),
  constraint wallet_is_balanced check (granted = available + held + spent)
);

create table ledger_transfers (
  id         bigint generated always as identity primary key,
  wallet_id  bigint      not null references wallets,
  kind       text        not null check (kind in ('grant', 'revoke', 'reserve', 'capture', 'release')),
  amount     bigint      not null check (amount > 0),
  task_id    uuid,
  note       text,
  created_at timestamptz not null default now(),
  constraint transfer_names_its_task check ((task_id is not null) = (kind in ('reserve', 'capture', 'release')))
);
-- A task is reserved once, captured once, released once.
create unique index ledger_transfers_once on ledger_transfers (task_id, kind) where task_id is not null;
create index ledger_transfers_by_wallet on ledger_transfers (wallet_id, id);

-- The two entries of each transfer.
create view ledger_entries as
  select t.id as transfer_id, t.wallet_id, t.kind, t.task_id, t.created_at, e.bucket, e.amount
  from ledger_transfers t
  cross join lateral (values
    (case t.kind when 'grant' then 'issued' when 'revoke' then 'available' when 'reserve' then 'available' else 'held' end, -t.amount),
    (case t.kind when 'grant' then 'available' when 'revoke' then 'issued' when 'reserve' then 'held'
                 when 'capture' then 'spent' else 'available' end, t.amount)
  ) as e (bucket, amount);

create function apply_transfers() returns trigger language plpgsql as $$
begin
  update wallets w set
    granted   = w.granted   + d.granted,
    available = w.available + d.available,
    held      = w.held      + d.held,
    spent     = w.spent     + d.spent
  from (
    select wallet_id,
      sum(case kind when 'grant' then amount when 'revoke' then -amount else 0 end) as granted,
      sum(case when kind in ('grant', 'release') then amount when kind in ('revoke', 'reserve') then -amount else 0 end) as available,
      sum(case kind when 'reserve' then amount when 'capture' then -amount when 'release' then -amount else 0 end) as held,
      sum(case kind when 'capture' then amount else 0 end) as spent
    from added group by wallet_id
  ) d
  where w.id = d.wallet_id;
  return null;
end $$;
create trigger ledger_transfers_apply after insert on ledger_transfers
  referencing new table as added for each statement execute function apply_transfers();

create function refuse_ledger_change() returns trigger language plpgsql as $$
begin
  raise exception 'the ledger is append-only: % on % is refused', tg_op, tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger ledger_transfers_append_only before update or delete on ledger_transfers
  for each row execute function refuse_ledger_change();
create trigger ledger_transfers_no_truncate before truncate on ledger_transfers
  for each statement execute function refuse_ledger_change();
create trigger wallets_no_delete before delete on wallets
  for each row execute function refuse_ledger_change();
create trigger wallets_no_truncate before truncate on wallets
  for each statement execute function refuse_ledger_change();

-- Depth 1 is this trigger alone, so somebody wrote the balance by hand; depth 2 is a transfer being applied.
create function guard_wallet() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' and (new.granted, new.available, new.held, new.spent) is distinct from (0::bigint, 0::bigint, 0::bigint, 0::bigint) then
    raise exception 'a wallet starts empty: grant its credits' using errcode = 'restrict_violation';
  elsif tg_op = 'UPDATE' and pg_trigger_depth() < 2 then
    raise exception 'a balance changes only by a transfer' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger wallets_guard before insert or update on wallets for each row execute function guard_wallet();

-- Settled means settled whole: what was captured and released for a task is exactly what was reserved for it.
create function check_settlement() returns trigger language plpgsql as $$
declare
  reserved bigint;
  settled  bigint;
begin
  select coalesce(sum(amount) filter (where kind = 'reserve'), 0),
         coalesce(sum(amount) filter (where kind in ('capture', 'release')), 0)
    into reserved, settled
    from ledger_transfers where task_id = new.task_id and wallet_id = new.wallet_id;
  if settled <> reserved then
    raise exception 'task % settles % of % reserved credits', new.task_id, settled, reserved using errcode = 'check_violation';
  end if;
  return null;
end $$;
create constraint trigger ledger_transfers_settle_whole after insert on ledger_transfers
  deferrable initially deferred for each row
  when (new.kind in ('capture', 'release')) execute function check_settlement();
