-- +goose Up

-- Roles of this site: new ones, and changed ones of those that come with the program.
CREATE TABLE roles (
    name         TEXT    NOT NULL PRIMARY KEY,
    display      TEXT    NOT NULL,
    description  TEXT    NOT NULL,
    permissions  TEXT    NOT NULL,
    delegates    TEXT    NOT NULL,
    nodes        TEXT    NOT NULL, -- an expression that limits permissions on nodes; '' does not
    max_lifetime INTEGER NOT NULL, -- seconds that a holder's tokens may live; 0 sets no limit
    modified     INTEGER NOT NULL,
    modified_by  TEXT    NOT NULL
) STRICT;

-- Keys that sign tokens. private is sealed; '' for the pair that the environment holds and for keys that only verify.
CREATE TABLE signing_keys (
    id        TEXT    NOT NULL PRIMARY KEY, -- RFC 7638 thumbprint
    public    TEXT    NOT NULL,
    private   TEXT    NOT NULL,
    state     TEXT    NOT NULL, -- next, active, retired
    origin    TEXT    NOT NULL, -- environment, generated, imported
    created   INTEGER NOT NULL,
    activated INTEGER NOT NULL,
    retired   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX signing_keys_active ON signing_keys (state) WHERE state = 'active';

-- Numbers that are given out once.
CREATE TABLE counters (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;

-- status_index is the token's place in the status list; 0 has none. The other columns are how far it is narrowed.
ALTER TABLE tokens ADD COLUMN status_index INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN permissions TEXT NOT NULL DEFAULT 'null';
ALTER TABLE tokens ADD COLUMN nodes TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN cidrs TEXT NOT NULL DEFAULT 'null';
ALTER TABLE tokens ADD COLUMN clusters TEXT NOT NULL DEFAULT 'null';
ALTER TABLE tokens ADD COLUMN read_only INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tokens_key ON tokens (key_id, issued, id);
CREATE INDEX tokens_live ON tokens (expires) WHERE revoked = 0;

-- actor_id is who acts as the user in this session; '' is the user himself. method is how the login was made.
ALTER TABLE sessions ADD COLUMN actor_id TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN method TEXT NOT NULL DEFAULT 'password';
CREATE INDEX sessions_actor ON sessions (actor_id) WHERE actor_id <> '';

-- Second factors. secret is sealed; recovery is the hashes of codes that are good once.
CREATE TABLE second_factors (
    user_id   TEXT    NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret    TEXT    NOT NULL,
    confirmed INTEGER NOT NULL, -- 0 until a first code was right
    last_step INTEGER NOT NULL, -- the time step of the last code, which is not good twice
    recovery  TEXT    NOT NULL
) STRICT;

-- How far audit records have been passed on, for each receiver.
CREATE TABLE audit_cursors (
    receiver TEXT    NOT NULL PRIMARY KEY,
    seq      INTEGER NOT NULL
) STRICT;

-- +goose Down

DROP TABLE audit_cursors;
DROP TABLE second_factors;
DROP INDEX sessions_actor;
ALTER TABLE sessions DROP COLUMN method;
ALTER TABLE sessions DROP COLUMN actor_id;
DROP INDEX tokens_live;
DROP INDEX tokens_key;
ALTER TABLE tokens DROP COLUMN read_only;
ALTER TABLE tokens DROP COLUMN clusters;
ALTER TABLE tokens DROP COLUMN cidrs;
ALTER TABLE tokens DROP COLUMN nodes;
ALTER TABLE tokens DROP COLUMN permissions;
ALTER TABLE tokens DROP COLUMN status_index;
DROP TABLE counters;
DROP TABLE signing_keys;
DROP TABLE roles;
