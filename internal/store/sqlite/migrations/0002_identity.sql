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
    state     TEXT    NOT NULL, -- next, active, retired, removed
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

-- Tokens get a number of their own, seq, by which revocations refer to them. status_index is the token's place in the
-- status list; 0 has none. The columns behind it are how far the token is narrowed; parent is the refresh token with which
-- an access token is revoked.
ALTER TABLE tokens RENAME TO tokens_old;
CREATE TABLE tokens (
    seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,
    key_id       TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    user_id      TEXT    NOT NULL,
    user_name    TEXT    NOT NULL,
    issued_by    TEXT    NOT NULL,
    issuer_id    TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    purpose      TEXT    NOT NULL,
    issued       INTEGER NOT NULL,
    expires      INTEGER NOT NULL,
    last_used    INTEGER NOT NULL,
    last_addr    TEXT    NOT NULL,
    status_index INTEGER NOT NULL DEFAULT 0,
    permissions  TEXT    NOT NULL DEFAULT 'null',
    nodes        TEXT    NOT NULL DEFAULT '',
    cidrs        TEXT    NOT NULL DEFAULT 'null',
    clusters     TEXT    NOT NULL DEFAULT 'null',
    read_only    INTEGER NOT NULL DEFAULT 0,
    parent       TEXT    NOT NULL DEFAULT ''
) STRICT;
INSERT INTO tokens (id, key_id, kind, user_id, user_name, issued_by, issuer_id, name, purpose, issued, expires, last_used, last_addr)
    SELECT id, key_id, kind, user_id, user_name, issued_by, issuer_id, name, purpose, issued, expires, last_used, last_addr
    FROM tokens_old ORDER BY issued, id;

-- Which tokens have been revoked. A hundred thousand new short rows, in the order of seq, are written several times as
-- fast as that many long ones are changed. What the token has as well is repeated, so that nobody has to look it up.
CREATE TABLE revocations (
    token         INTEGER NOT NULL PRIMARY KEY REFERENCES tokens (seq) ON DELETE CASCADE,
    revoked       INTEGER NOT NULL,
    revoked_by    TEXT    NOT NULL,
    token_id      TEXT    NOT NULL,
    token_expires INTEGER NOT NULL,
    token_index   INTEGER NOT NULL
) STRICT;
INSERT INTO revocations SELECT n.seq, o.revoked, o.revoked_by, o.id, o.expires, 0 FROM tokens_old o JOIN tokens n ON n.id = o.id WHERE o.revoked > 0;
DROP TABLE tokens_old;
CREATE INDEX tokens_issued ON tokens (issued, id);
CREATE INDEX tokens_user ON tokens (user_id, issued, id);
CREATE INDEX tokens_issuer ON tokens (issuer_id, issued, id);
CREATE INDEX tokens_key ON tokens (key_id, issued, id);
CREATE INDEX tokens_expires ON tokens (expires, kind);
CREATE INDEX tokens_parent ON tokens (parent) WHERE parent <> '';
CREATE INDEX tokens_service ON tokens (user_id, expires) WHERE kind = 'service';

-- actor_id is who acts as the user in this session; '' is the user himself. method is how the login was made. resumes is
-- when the login ends to which the actor returns.
ALTER TABLE sessions ADD COLUMN actor_id TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN method TEXT NOT NULL DEFAULT 'password';
ALTER TABLE sessions ADD COLUMN resumes INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sessions_actor ON sessions (actor_id) WHERE actor_id <> '';

-- rights is a fingerprint of what the session could do when it got its hash; former is the hash that it had before, and
-- renewed when that changed.
ALTER TABLE sessions ADD COLUMN rights TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN former TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN renewed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sessions_former ON sessions (former);

-- Second factors. secret is sealed; recovery is the hashes of codes that are good once.
CREATE TABLE second_factors (
    user_id   TEXT    NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret    TEXT    NOT NULL,
    confirmed INTEGER NOT NULL, -- 0 until a first code was right, then when that was; 1 where it was not noted
    last_step INTEGER NOT NULL, -- the time step of the last code, which is not good twice
    recovery  TEXT    NOT NULL
) STRICT;

-- To whom at another system an account belongs, whatever his name is there.
CREATE TABLE user_bindings (
    user_id TEXT    NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    issuer  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    bound   INTEGER NOT NULL,
    UNIQUE (issuer, subject)
) STRICT;

-- How far audit records have been passed on, for each receiver.
CREATE TABLE audit_cursors (
    receiver TEXT    NOT NULL PRIMARY KEY,
    seq      INTEGER NOT NULL
) STRICT;

-- What people ask the trail for, beside those of 0001.
CREATE INDEX audit_records_action ON audit_records (action);
CREATE INDEX audit_records_outcome ON audit_records (outcome) WHERE outcome <> 'done';
CREATE INDEX audit_records_token ON audit_records (token_id) WHERE token_id <> '';
CREATE INDEX audit_records_request ON audit_records (request_id) WHERE request_id <> '';

-- +goose Down

DROP INDEX audit_records_request;
DROP INDEX audit_records_token;
DROP INDEX audit_records_outcome;
DROP INDEX audit_records_action;
DROP TABLE audit_cursors;
DROP TABLE user_bindings;
DROP TABLE second_factors;
DROP INDEX sessions_former;
ALTER TABLE sessions DROP COLUMN renewed;
ALTER TABLE sessions DROP COLUMN former;
ALTER TABLE sessions DROP COLUMN rights;
DROP INDEX sessions_actor;
ALTER TABLE sessions DROP COLUMN resumes;
ALTER TABLE sessions DROP COLUMN method;
ALTER TABLE sessions DROP COLUMN actor_id;
CREATE TABLE tokens_old (
    id         TEXT    NOT NULL PRIMARY KEY,
    key_id     TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    user_name  TEXT    NOT NULL,
    issued_by  TEXT    NOT NULL,
    issuer_id  TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    purpose    TEXT    NOT NULL,
    issued     INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    last_used  INTEGER NOT NULL,
    last_addr  TEXT    NOT NULL,
    revoked    INTEGER NOT NULL,
    revoked_by TEXT    NOT NULL
) STRICT;
INSERT INTO tokens_old
    SELECT id, key_id, kind, user_id, user_name, issued_by, issuer_id, name, purpose, issued, expires, last_used, last_addr,
        COALESCE(revoked, 0), COALESCE(revoked_by, '')
    FROM tokens LEFT JOIN revocations ON token = seq;
DROP TABLE revocations;
DROP TABLE tokens;
ALTER TABLE tokens_old RENAME TO tokens;
CREATE INDEX tokens_issued ON tokens (issued, id);
CREATE INDEX tokens_user ON tokens (user_id, issued, id);
CREATE INDEX tokens_issuer ON tokens (issuer_id, issued, id);
CREATE INDEX tokens_revoked ON tokens (expires) WHERE revoked > 0;
DROP TABLE counters;
DROP TABLE signing_keys;
DROP TABLE roles;
