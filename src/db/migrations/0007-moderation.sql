-- Prompts that the content policy refused: who, by what, and when. Never the prompt; its digest tells repetitions of one
-- prompt, and lets an operator who is shown a prompt find what became of it.

create table moderation_refusals (
  id            uuid primary key,
  account_id    uuid        not null references accounts,
  -- The request's id, as in the log and in the answer.
  trace_id      uuid        not null,
  dialect       text        not null,
  source        text        not null check (source in ('rules', 'endpoint')),
  -- Of the rules: the rule's id. Of an endpoint: the first category that it named.
  rule          text        not null check (length(rule) <= 64),
  category      text        not null,
  prompt_sha256 bytea       not null check (octet_length(prompt_sha256) = 32),
  created_at    timestamptz not null default now()
);
create index moderation_refusals_by_account on moderation_refusals (account_id, created_at);
create index moderation_refusals_by_age on moderation_refusals (created_at);
