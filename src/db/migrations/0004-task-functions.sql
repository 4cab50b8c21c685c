-- Creates a batch of tasks: for each request its idempotency key, its hold and its row, in one statement and so in one
-- transaction. Requests of one batch are independent: each gets its own outcome, exactly as if it had come alone.
--
-- `in_requests` is an array of objects: id, wallet_id, dialect, model, request, body (its JSON as a text), client_request_id, trace_id,
-- callback_url, upload_url, price_credits, provider, queue_seconds; key with fingerprint (hex) where the customer sent an
-- idempotency key; file_ids where the request uses files, each id once. The files were live a moment ago, and a sweep
-- leaves dead ones alone for longer than a create takes.
-- Outcomes: created | replayed (task_id is the first one's) | conflict (same key, other body) | insufficient | busy (another
-- session holds the wallet: nothing was written, the request may come again).
--
-- The wallets are locked first, in order of their ids. Whoever holds a wallet is alone with its balance and its
-- idempotency keys, so nothing below can race and no two batches can wait for each other. A settlement holds a wallet for
-- as long as it commits, so the batch waits a moment and then fails as a whole (lock_not_available); with `in_skip_held` it
-- waits for none, and goes on without the wallets that are held.
create function submit_tasks(in_requests jsonb, in_key_lifetime interval, in_skip_held boolean default false)
returns table (n bigint, outcome text, task_id uuid, created_at timestamptz, available bigint)
language plpgsql as $$
declare
  item      record;
  current   bigint;
  remaining bigint;
  size      integer := jsonb_array_length(in_requests);
  outcomes  text[]   := array_fill(null::text, array[size]);
  task_ids  uuid[]   := array_fill(null::uuid, array[size]);
  balances  bigint[] := array_fill(null::bigint, array[size]);
  -- For each request with a key: which request of this batch made the task that the key now stands for.
  makers    bigint[] := array_fill(null::bigint, array[size]);
  maker     bigint;
  asked     bigint[] := array(select distinct (r ->> 'wallet_id')::bigint from jsonb_array_elements(in_requests) r);
  -- Wallets that another session holds.
  held      bigint[] := '{}';
begin
  -- No block that catches the error: a row that a subtransaction locks and its parent updates costs three times as much.
  if in_skip_held then
    held := array(
      select w.id from wallets w where w.id = any (asked)
      except all
      select free.id from (select w.id from wallets w where w.id = any (asked) order by w.id for no key update skip locked) free);
  else
    perform set_config('lock_timeout', '250ms', true);
    perform 1 from wallets w where w.id = any (asked) order by w.id for no key update;
    perform set_config('lock_timeout', '0', true);
  end if;

  delete from idempotency_keys k using jsonb_array_elements(in_requests) r
    where r ->> 'key' is not null and (r ->> 'wallet_id')::bigint <> all (held) and k.wallet_id = (r ->> 'wallet_id')::bigint and k.key = r ->> 'key'
      and k.created_at <= now() - in_key_lifetime;

  for item in
    select r.ordinal, r.id, r.wallet_id, r.key, r.fingerprint, r.price_credits, w.available,
           k.task_id as known_task, encode(k.fingerprint, 'hex') as known_fingerprint,
           case when r.key is not null then lag(r.ordinal) over (partition by r.wallet_id, r.key order by r.ordinal) end as previous
    from rows from (jsonb_to_recordset(in_requests) as
        (id uuid, wallet_id bigint, price_credits bigint, key text, fingerprint text))
      with ordinality as r (id, wallet_id, price_credits, key, fingerprint, ordinal)
    join wallets w on w.id = r.wallet_id
    left join idempotency_keys k on k.wallet_id = r.wallet_id and k.key = r.key
    order by r.wallet_id, r.ordinal
  loop
    if current is distinct from item.wallet_id then
      current := item.wallet_id;
      remaining := item.available;
    end if;
    maker := makers[item.previous];
    if item.wallet_id = any (held) then
      outcomes[item.ordinal] := 'busy';
    elsif item.known_task is not null then
      task_ids[item.ordinal] := item.known_task;
      outcomes[item.ordinal] := case when item.known_fingerprint = item.fingerprint then 'replayed' else 'conflict' end;
    elsif maker is not null then
      task_ids[item.ordinal] := task_ids[maker];
      outcomes[item.ordinal] := case
        when in_requests -> (maker - 1)::integer ->> 'fingerprint' = item.fingerprint then 'replayed' else 'conflict' end;
    elsif item.price_credits <= remaining then
      remaining := remaining - item.price_credits;
      maker := item.ordinal;
      task_ids[item.ordinal] := item.id;
      outcomes[item.ordinal] := 'created';
    else
      outcomes[item.ordinal] := 'insufficient';
    end if;
    balances[item.ordinal] := remaining;
    makers[item.ordinal] := maker;
  end loop;
  if array_position(outcomes, null) is not null then
    raise exception 'a request names a wallet that does not exist' using errcode = 'foreign_key_violation';
  end if;

  insert into tasks (id, wallet_id, dialect, model, request, body, client_request_id, trace_id, callback_url, upload_url,
      price_credits, provider, deadline_at)
    select r.id, r.wallet_id, r.dialect, r.model, r.request, r.body::json, r.client_request_id, r.trace_id, r.callback_url,
           r.upload_url, r.price_credits, r.provider, now() + make_interval(secs => r.queue_seconds)
    from rows from (jsonb_to_recordset(in_requests) as
        (id uuid, wallet_id bigint, dialect text, model text, request jsonb, body text, client_request_id text,
         trace_id uuid, callback_url text, upload_url text, price_credits bigint, provider text, queue_seconds integer))
      with ordinality as r (id, wallet_id, dialect, model, request, body, client_request_id, trace_id, callback_url,
         upload_url, price_credits, provider, queue_seconds, ordinal)
    where outcomes[r.ordinal] = 'created'
    order by r.ordinal;

  insert into task_files (task_id, file_id)
    select (r ->> 'id')::uuid, file_id::uuid
    from jsonb_array_elements(in_requests) with ordinality as e (r, ordinal),
      jsonb_array_elements_text(r -> 'file_ids') file_id
    where outcomes[e.ordinal] = 'created' and r ? 'file_ids';

  insert into idempotency_keys (wallet_id, key, fingerprint, task_id)
    select (r ->> 'wallet_id')::bigint, r ->> 'key', decode(r ->> 'fingerprint', 'hex'), (r ->> 'id')::uuid
    from jsonb_array_elements(in_requests) with ordinality as e (r, ordinal)
    where outcomes[e.ordinal] = 'created' and r ->> 'key' is not null;

  insert into ledger_transfers (wallet_id, kind, amount, task_id)
    select (r ->> 'wallet_id')::bigint, 'reserve', (r ->> 'price_credits')::bigint, (r ->> 'id')::uuid
    from jsonb_array_elements(in_requests) with ordinality as e (r, ordinal)
    where outcomes[e.ordinal] = 'created' and (r ->> 'price_credits')::bigint > 0;

  return query
    select o.ordinal, o.outcome, task_ids[o.ordinal], now(), balances[o.ordinal]
    from unnest(outcomes) with ordinality as o (outcome, ordinal);
end $$;

-- Tasks of a wallet that are with a provider: what its plan limits.
create function active_tasks(in_wallet bigint) returns integer language sql stable as $$
  select count(*)::integer from tasks t
  where t.wallet_id = in_wallet and t.state in ('submitting', 'running', 'collecting') and t.parked_at is null
$$;

-- The wallets whose turn is next at a provider, at most `in_slots`: each of them has a task to offer, so no other wallet's turn
-- can come before theirs.
create function next_wallets(in_provider text, in_slots integer, in_limits jsonb, in_passed bigint[]) returns bigint[]
language sql volatile as $$
  with recursive waiting (wallet_id) as (
    -- A loose index scan: one probe for each wallet that has a queue, however long the queue.
    (select t.wallet_id from tasks t where t.state = 'queued' and t.parked_at is null and t.provider = in_provider
     order by t.wallet_id limit 1)
    union all
    select (select t.wallet_id from tasks t
            where t.state = 'queued' and t.parked_at is null and t.provider = in_provider and t.wallet_id > w.wallet_id
            order by t.wallet_id limit 1)
    from waiting w where w.wallet_id is not null
  )
  select coalesce(array_agg(turn.id), '{}') from (
    select w.id
    from waiting
    join wallets w on w.id = waiting.wallet_id and w.id <> all (in_passed)
    join accounts a on a.id = w.account_id
    left join admissions last on last.wallet_id = w.id
    cross join lateral (select active_tasks(w.id) as tasks) active
    where active.tasks < (in_limits ->> a.plan)::integer
    order by active.tasks, last.last_admitted_at nulls first, w.id
    limit in_slots
  ) turn
$$;

-- The tasks that are to be admitted of some wallets, in the order of their turns, at most `in_slots`.
create function next_tasks(in_provider text, in_slots integer, in_limits jsonb, in_wallets bigint[]) returns uuid[]
language sql volatile as $$
  select coalesce(array_agg(turn.id), '{}') from (
    select head.id
    from unnest(in_wallets) as wanted (id)
    join wallets w on w.id = wanted.id
    join accounts a on a.id = w.account_id
    left join admissions last on last.wallet_id = w.id
    cross join lateral (select active_tasks(w.id) as tasks) active
    cross join lateral (
      select t.id, row_number() over (order by t.created_at, t.id) as rank from tasks t
      where t.state = 'queued' and t.parked_at is null and t.provider = in_provider and t.wallet_id = w.id
      order by t.created_at, t.id limit greatest(0, least(in_slots, (in_limits ->> a.plan)::integer - active.tasks))
    ) head
    order by active.tasks + head.rank, last.last_admitted_at nulls first, head.id
    limit in_slots
  ) turn
$$;

-- The first tasks of a wallet's queue at a provider, and how many are ahead of each. Walks the index of the queue in its order:
-- the planner takes a queue for short, and would read and sort the whole of one that is long.
create function queue_places(in_wallet bigint, in_provider text, in_limit integer)
returns table (task_id uuid, ahead bigint)
language sql stable set enable_sort = off set enable_bitmapscan = off as $$
  select head.id, row_number() over (order by head.created_at, head.id) - 1 from (
    select t.id, t.created_at from tasks t
    where t.state = 'queued' and t.parked_at is null and t.provider = in_provider and t.wallet_id = in_wallet
    order by t.created_at, t.id limit in_limit
  ) head
$$;

-- Admits queued tasks of one provider to its free slots, at most `in_limit`. Fair between wallets: whoever has the fewest
-- tasks under way comes first, among equals whoever waited longest; no wallet goes over its plan's concurrency
-- (`in_limits`: plan → n), and the provider not over `in_concurrency`: of the whole installation, or `in_each_worker`.
--
-- Exact, and held up by nothing but another admission, which takes milliseconds: one admission of a provider at a time counts
-- its slots, one admission of a wallet at a time counts its tasks, and a task that another session holds (it may be canceled
-- at this moment) is passed over, with its wallet, in favour of the next one.
create function admit_tasks(
  in_provider text, in_limit integer, in_concurrency integer, in_each_worker boolean, in_limits jsonb,
  in_worker text, in_lease interval, in_deadline interval
) returns setof tasks
language plpgsql as $$
declare
  slots  integer;
  next   bigint[];
  chosen uuid[];
  taken  integer;
  -- Wallets whose turn is over in this call.
  passed bigint[] := '{}';
begin
  perform pg_advisory_xact_lock(hashtext('reelay.admit'), hashtext(in_provider));
  slots := least(in_limit, in_concurrency - (
    select count(*) from tasks t
    where t.provider = in_provider and t.state in ('submitting', 'running', 'collecting') and t.parked_at is null
      and t.holds_slot
      and (not in_each_worker or t.lease_owner = in_worker)));
  while slots > 0 loop
    next := next_wallets(in_provider, slots, in_limits, passed);
    -- In order of their ids, so that no two admissions wait for each other. Later rounds hold locks already: they take what is free.
    if passed = '{}' then
      perform pg_advisory_xact_lock(hashtext('reelay.admit.wallet'), w.id::integer)
        from (select id from unnest(next) id order by id) w;
    else
      next := array(select w.id from unnest(next) with ordinality as w (id, n)
                    where pg_try_advisory_xact_lock(hashtext('reelay.admit.wallet'), w.id::integer) order by w.n);
    end if;
    chosen := next_tasks(in_provider, slots, in_limits, next);
    exit when chosen = '{}';
    return query
      with free as materialized (
        -- Another lane may have moved it to another provider meanwhile.
        select t.id from tasks t where t.id = any (chosen) and t.state = 'queued' and t.parked_at is null and t.provider = in_provider
        for update skip locked
      ),
      admitted as (
        update tasks t set
          state = 'submitting', fence = t.fence + 1, lease_owner = in_worker, lease_until = now() + in_lease,
          due_at = now() + in_lease, started_at = now(), deadline_at = now() + in_deadline, updated_at = now()
        from free where t.id = free.id
        returning t.*
      ),
      noted as (
        insert into admissions (wallet_id, last_admitted_at)
        -- One row for each wallet: the time differs from row to row.
        select served.wallet_id, clock_timestamp() from (select distinct admitted.wallet_id from admitted) served
        on conflict (wallet_id) do update set last_admitted_at = excluded.last_admitted_at
      )
      select * from admitted;
    get diagnostics taken = row_count;
    exit when taken = cardinality(chosen);
    slots := slots - taken;
    passed := passed || next;
  end loop;
end $$;

-- The latest attempt at a task. Volatile, and so with a snapshot of its own: a statement that leases a task begins before it
-- gets hold of the row, and would else see the attempt as it was then, not as whoever had the task last has left it.
create function last_attempt(in_task uuid) returns setof attempts language plpgsql volatile rows 1 as $$
begin
  return query select * from attempts a where a.task_id = in_task order by a.number desc limit 1;
end $$;

-- Ends a task: the terminal state, the capture or release of its hold, its media, its attempt and its deliveries (a
-- callback however it ended, an upload if it succeeded), in one transaction.
-- The order of locks, here and everywhere: wallets by their ids, then tasks. So whoever waits for a wallet holds no task that
-- an admission, a claim or a cancel could want, and none of them waits in a circle.
-- Compare-and-set: returns the task if this call ended it, and nothing if it was no longer in one of `in_from`, or if
-- `in_fence` (null: whoever asks) is no longer its fencing token. So of any number of racing settlements one wins.
create function settle_task(
  in_id uuid, in_fence bigint, in_from text[], in_to text, in_capture bigint,
  in_reason text, in_message text, in_media jsonb, in_attempt_state text default null
) returns setof tasks
language plpgsql as $$
declare
  settled tasks;
begin
  perform 1 from wallets w where w.id = (select t.wallet_id from tasks t where t.id = in_id) for no key update;
  update tasks t set
    state = in_to, final_credits = in_capture, failure_reason = in_reason, failure_message = in_message,
    progress = case when in_to = 'succeeded' then 100 else t.progress end,
    fence = t.fence + 1, lease_owner = null, lease_until = null, updated_at = now(), finished_at = now()
  where t.id = in_id and t.state = any (in_from) and (in_fence is null or t.fence = in_fence)
  returning t.* into settled;
  if not found then
    return;
  end if;

  insert into media (id, task_id, kind, store_key, mime_type, size_bytes, sha256, width, height, duration_seconds, expires_at)
    select m.id, in_id, m.kind, m.store_key, m.mime_type, m.size_bytes, decode(m.sha256, 'hex'), m.width, m.height,
           m.duration_seconds, now() + make_interval(secs => m.keep_seconds)
    from jsonb_to_recordset(in_media) as m (id uuid, kind text, store_key text, mime_type text, size_bytes bigint,
         sha256 text, width integer, height integer, duration_seconds numeric, keep_seconds double precision);

  insert into ledger_transfers (wallet_id, kind, amount, task_id)
    select settled.wallet_id, part.kind, part.amount, in_id
    from (values ('capture', in_capture), ('release', settled.price_credits - in_capture)) as part (kind, amount)
    where part.amount > 0;

  -- Nothing else is under way for this task now; an attempt whose fate nobody knows keeps saying so, and so does one whose
  -- provider was being called when the task was given up: the job may run, and be billed.
  update attempts a set
    state = case when a.state = 'starting' and in_to in ('canceled', 'expired') then 'uncertain'
                 else coalesce(in_attempt_state, in_to) end,
    error = coalesce(in_message, a.error), ended_at = now()
    where a.task_id = in_id and a.state in ('starting', 'accepted');

  if settled.callback_url is not null or settled.upload_url is not null then
    -- What an operator or its owner ends of a restored copy may have been told by the original: that is the operator's to say, too.
    insert into deliveries (id, task_id, account_id, kind, url, due_at, parked_at)
      select gen_random_uuid(), in_id, w.account_id, part.kind, part.url,
             case when settled.parked_because = 'restored' then 'infinity' else now() end,
             case when settled.parked_because = 'restored' then now() end
      from wallets w,
        (values ('callback', settled.callback_url),
                ('upload', case when in_to = 'succeeded' then settled.upload_url end)) as part (kind, url)
      where w.id = settled.wallet_id and part.url is not null;
  end if;

  return next settled;
end $$;
