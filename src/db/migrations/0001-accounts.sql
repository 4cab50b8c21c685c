-- Accounts, their API keys, and the secrets that this installation signs with.

create table accounts (
  id                  uuid primary key,
  name                text        not null check (length(name) between 1 and 200),
  plan                text        not null check (plan in ('free', 'pro', 'enterprise')),
  spicy_allowed       boolean     not null default false,
  -- Null: as many as the plan allows.
  requests_per_minute integer     check (requests_per_minute between 1 and 1000000),
  created_at          timestamptz not null default now()
);

-- A key is stored as a hash; the secret is shown once, when it is made.
create table api_keys (
  id          uuid primary key,
  account_id  uuid        not null references accounts,
  mode        text        not null check (mode in ('live', 'test')),
  name        text,
  secret_hash bytea       not null unique check (octet_length(secret_hash) = 32),
  prefix      text        not null,
  scopes      text[]      not null,
  created_at  timestamptz not null default now(),
  expires_at  timestamptz,
  revoked_at  timestamptz
);
create index api_keys_by_account on api_keys (account_id, id);

-- Every node keeps what it found out about a key in memory for a moment, also that there is none; this tells them to forget
-- one that changed or was made.
create function notify_key_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('reelay_keys', encode(new.secret_hash, 'hex'));
  return null;
end $$;
create trigger api_keys_changed after insert or update on api_keys for each row execute function notify_key_changed();

-- What they keep of a key includes its account: the plan, and what is allowed.
create function notify_keys_of_account_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('reelay_keys', encode(secret_hash, 'hex')) from api_keys where account_id = new.id;
  return null;
end $$;
create trigger accounts_changed after update on accounts
  for each row execute function notify_keys_of_account_changed();

-- Random secrets of this installation (link signing, manifest signing), shared by all of its nodes.
create table instance_secrets (
  name       text primary key,
  value      bytea       not null,
  created_at timestamptz not null default now()
);
