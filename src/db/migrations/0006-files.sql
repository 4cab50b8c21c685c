-- Files that customers bring to their requests: uploaded, or fetched from where a request said that they are.
--
-- A file is what its owner sees: a name, what was measured of it, and an end. Its owner is a wallet, which is an account in
-- one mode: test keys and live keys see nothing of each other. Its bytes are a blob, which the store has once for each
-- wallet, however many of the wallet's files have the same bytes. A blob's row is there before its
-- object and goes after it, so whatever a crash leaves in the store has a row by which it is found:
--
--   stored_at null                  the bytes are being put into the store
--   stored_at set                   they are there, and files may refer to them
--   dropped_at set                  nobody may refer to them any more; from then on the object is deleted, then the row

create table file_blobs (
  id         uuid primary key,
  wallet_id  bigint      not null references wallets,
  sha256     bytea       not null check (octet_length(sha256) = 32),
  store_key  text        not null unique,
  mime_type  text        not null,
  size_bytes bigint      not null check (size_bytes > 0),
  created_at timestamptz not null default now(),
  stored_at  timestamptz,
  dropped_at timestamptz,
  unique (wallet_id, id)
);
create unique index file_blobs_stored on file_blobs (wallet_id, sha256) where stored_at is not null and dropped_at is null;
create index file_blobs_storing on file_blobs (created_at) where stored_at is null and dropped_at is null;
-- For what a wallet stores: its sum is read with every new file.
create index file_blobs_of_wallet on file_blobs (wallet_id) include (size_bytes) where dropped_at is null;
create index file_blobs_dropped on file_blobs (dropped_at) where dropped_at is not null;

-- Rows outlive their bytes, so that a request that names a file can be told when it expired.
create table files (
  id               uuid primary key,
  wallet_id        bigint      not null references wallets,
  -- Null once the bytes are gone.
  blob_id          uuid,
  -- Whether its owner uploaded it, and so sees it in the Files API. What was fetched for a request is in no list.
  is_listed        boolean     not null,
  kind             text        not null check (kind in ('image', 'video', 'audio')),
  -- As its owner called it; for showing only.
  name             text        not null check (length(name) <= 255),
  mime_type        text        not null,
  size_bytes       bigint      not null check (size_bytes > 0),
  sha256           bytea       not null check (octet_length(sha256) = 32),
  width            integer     check (width > 0),
  height           integer     check (height > 0),
  duration_seconds numeric(12, 3) check (duration_seconds > 0),
  created_at       timestamptz not null default now(),
  expires_at       timestamptz not null,
  deleted_at       timestamptz,
  -- From then on no request can name it.
  ends_at          timestamptz not null generated always as (least(expires_at, deleted_at)) stored,
  -- Bytes of another wallet can never be a file's.
  foreign key (wallet_id, blob_id) references file_blobs (wallet_id, id) on delete set null (blob_id)
);
create index files_listed on files (wallet_id, created_at, id)
  where is_listed and deleted_at is null and blob_id is not null;
create index files_by_blob on files (blob_id) where blob_id is not null;
create index files_ending on files (ends_at) where blob_id is not null;
create index files_unlisted_ending on files (ends_at) where blob_id is null and not is_listed;

-- Which files a task uses: while it has not ended their bytes stay, also beyond the end of the files.
create table task_files (
  task_id uuid not null references tasks,
  file_id uuid not null references files,
  primary key (task_id, file_id)
);
create index task_files_by_file on task_files (file_id);

-- Whether somebody may still read a blob's bytes: one of its files has not ended `in_grace` ago, or a task that has not
-- ended uses one.
create function is_blob_needed(in_blob uuid, in_grace interval) returns boolean language sql stable as $$
  select exists (
    select from files f
    where f.blob_id = in_blob and (
      f.ends_at > now() - in_grace
      or exists (
        select from task_files u join tasks t on t.id = u.task_id
        where u.file_id = f.id and t.state not in ('succeeded', 'failed', 'canceled', 'expired'))))
$$;

-- Drops blobs that nobody needs, at most `in_limit`, and those whose storing began `in_storing` ago and was cut off.
-- Locked first, judged after: whoever gives a blob another file locks it as well, so that either the judgement sees that
-- file, or its maker sees that the blob is dropped. The two statements must not become one: each sees what was
-- committed before it began.
create function drop_blobs(in_grace interval, in_storing interval, in_limit integer) returns void
language plpgsql as $$
declare
  candidates uuid[];
begin
  select array_agg(locked.id) into candidates from (
    select b.id from files f join file_blobs b on b.id = f.blob_id
    where f.ends_at <= now() - in_grace and b.stored_at is not null and b.dropped_at is null
      and not is_blob_needed(b.id, in_grace)
    order by f.ends_at limit in_limit for update of b skip locked
  ) locked;
  update file_blobs b set dropped_at = now()
    where b.id = any (candidates) and not is_blob_needed(b.id, in_grace);
  update file_blobs b set dropped_at = now()
    where b.stored_at is null and b.dropped_at is null and b.created_at <= now() - in_storing;
end $$;
