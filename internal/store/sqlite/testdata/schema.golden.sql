CREATE TABLE attrib_groups (
    uid         TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL UNIQUE,
    description TEXT    NOT NULL,
    attributes  TEXT    NOT NULL,
    is_default  INTEGER NOT NULL,
    modified    INTEGER NOT NULL,
    modified_by TEXT    NOT NULL
) STRICT;

CREATE TABLE audit_cursors (
    receiver TEXT    NOT NULL PRIMARY KEY,
    seq      INTEGER NOT NULL
) STRICT;

CREATE TABLE audit_records (
    seq        INTEGER NOT NULL PRIMARY KEY,
    time       INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    token_id   TEXT    NOT NULL,
    via        TEXT    NOT NULL,
    addr       TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    object     TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    details    TEXT    NOT NULL,
    hash       TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_records_action ON audit_records (action);

CREATE INDEX audit_records_actor ON audit_records (actor);

CREATE TRIGGER audit_records_delete BEFORE DELETE ON audit_records
BEGIN
    SELECT RAISE(ABORT, 'audit records are append-only');
END;

CREATE TRIGGER audit_records_insert BEFORE INSERT ON audit_records
WHEN NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit_records)
BEGIN
    SELECT RAISE(ABORT, 'audit records are append-only: seq is not the next one');
END;

CREATE INDEX audit_records_object ON audit_records (object);

CREATE INDEX audit_records_outcome ON audit_records (outcome) WHERE outcome <> 'done';

CREATE INDEX audit_records_request ON audit_records (request_id) WHERE request_id <> '';

CREATE INDEX audit_records_subject ON audit_records (subject);

CREATE INDEX audit_records_time ON audit_records (time);

CREATE INDEX audit_records_token ON audit_records (token_id) WHERE token_id <> '';

CREATE TRIGGER audit_records_update BEFORE UPDATE ON audit_records
BEGIN
    SELECT RAISE(ABORT, 'audit records are append-only');
END;

CREATE TABLE counters (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;

CREATE TABLE job_hosts (
    hostname TEXT    NOT NULL,
    job      INTEGER NOT NULL,
    PRIMARY KEY (hostname, job)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_tags (
    job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    tag INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    PRIMARY KEY (job, tag)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_tags_tag ON job_tags (tag, job);

CREATE TABLE jobs (
    id               INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    job_id           INTEGER NOT NULL,
    cluster          TEXT    NOT NULL,
    sub_cluster      TEXT    NOT NULL,
    job_partition    TEXT    NOT NULL,
    user_name        TEXT    NOT NULL,
    project          TEXT    NOT NULL,
    name             TEXT    NOT NULL,
    array_job_id     INTEGER NOT NULL,
    num_nodes        INTEGER NOT NULL,
    num_hwthreads    INTEGER NOT NULL,
    num_acc          INTEGER NOT NULL,
    shared           TEXT    NOT NULL,
    smt              INTEGER NOT NULL,
    state            TEXT    NOT NULL,
    start_time       INTEGER NOT NULL,
    submit_time      INTEGER NOT NULL,
    duration         INTEGER NOT NULL,
    walltime         INTEGER NOT NULL,
    requested_memory INTEGER NOT NULL,
    monitoring       INTEGER NOT NULL,
    resources        TEXT    NOT NULL,
    meta_data        TEXT    NOT NULL,
    statistics       TEXT    NOT NULL,
    footprint        TEXT    NOT NULL,
    energy_footprint TEXT    NOT NULL,
    energy           REAL    NOT NULL,
    archive_attempts INTEGER NOT NULL,
    archive_after    INTEGER NOT NULL,
    UNIQUE (job_id, cluster, start_time)
) STRICT;

CREATE INDEX jobs_cluster ON jobs (cluster, start_time);

CREATE INDEX jobs_name ON jobs (name);

CREATE INDEX jobs_project ON jobs (project, start_time);

CREATE INDEX jobs_start ON jobs (start_time);

CREATE INDEX jobs_state ON jobs (state, start_time);

CREATE INDEX jobs_unarchived ON jobs (start_time) WHERE state <> 'running' AND monitoring IN (1, 2);

CREATE INDEX jobs_user ON jobs (user_name, start_time);

CREATE TABLE node_groups (
    node     TEXT    NOT NULL REFERENCES nodes (uid) ON DELETE CASCADE ON UPDATE CASCADE,
    position INTEGER NOT NULL,
    grp      TEXT    NOT NULL REFERENCES attrib_groups (uid),
    PRIMARY KEY (node, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX node_groups_grp ON node_groups (grp);

CREATE TABLE node_reports (
    node             TEXT    NOT NULL PRIMARY KEY REFERENCES nodes (uid) ON DELETE CASCADE ON UPDATE CASCADE,
    time             INTEGER NOT NULL,
    state            TEXT    NOT NULL,
    cpus_allocated   INTEGER NOT NULL,
    memory_allocated INTEGER NOT NULL,
    gpus_allocated   INTEGER NOT NULL,
    jobs_running     INTEGER NOT NULL
) STRICT;

CREATE TABLE nodes (
    uid         TEXT    NOT NULL PRIMARY KEY,
    cluster     TEXT    NOT NULL,
    sub_cluster TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    node_index  INTEGER NOT NULL,
    description TEXT    NOT NULL,
    type        TEXT    NOT NULL,
    mac         TEXT    NOT NULL,
    ip          TEXT    NOT NULL,
    attributes  TEXT    NOT NULL,
    power_uri   TEXT    NOT NULL,
    hardware    TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    modified    INTEGER NOT NULL,
    modified_by TEXT    NOT NULL,
    UNIQUE (cluster, name)
) STRICT;

CREATE UNIQUE INDEX nodes_index ON nodes (cluster, node_index) WHERE node_index >= 0;

CREATE INDEX nodes_ip ON nodes (ip) WHERE ip <> '';

CREATE UNIQUE INDEX nodes_mac ON nodes (mac) WHERE mac <> '';

CREATE INDEX nodes_name ON nodes (name);

CREATE TABLE revocations (
    token         INTEGER NOT NULL PRIMARY KEY REFERENCES tokens (seq) ON DELETE CASCADE,
    revoked       INTEGER NOT NULL,
    revoked_by    TEXT    NOT NULL,
    token_id      TEXT    NOT NULL,
    token_expires INTEGER NOT NULL,
    token_index   INTEGER NOT NULL
) STRICT;

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

CREATE TABLE second_factors (
    user_id   TEXT    NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret    TEXT    NOT NULL,
    confirmed INTEGER NOT NULL, -- 0 until a first code was right, then when that was; 1 where it was not noted
    last_step INTEGER NOT NULL, -- the time step of the last code, which is not good twice
    recovery  TEXT    NOT NULL
) STRICT;

CREATE TABLE sessions (
    hash    TEXT    NOT NULL PRIMARY KEY,
    user_id TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    seen    INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    addr    TEXT    NOT NULL,
    agent   TEXT    NOT NULL
, actor_id TEXT NOT NULL DEFAULT '', method TEXT NOT NULL DEFAULT 'password', resumes INTEGER NOT NULL DEFAULT 0, rights TEXT NOT NULL DEFAULT '', former TEXT NOT NULL DEFAULT '', renewed INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE INDEX sessions_actor ON sessions (actor_id) WHERE actor_id <> '';

CREATE INDEX sessions_former ON sessions (former);

CREATE INDEX sessions_user ON sessions (user_id);

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

CREATE TABLE tags (
    id    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    type  TEXT    NOT NULL,
    name  TEXT    NOT NULL,
    scope TEXT    NOT NULL,
    UNIQUE (type, name, scope)
) STRICT;

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

CREATE INDEX tokens_expires ON tokens (expires, kind);

CREATE INDEX tokens_issued ON tokens (issued, id);

CREATE INDEX tokens_issuer ON tokens (issuer_id, issued, id);

CREATE INDEX tokens_key ON tokens (key_id, issued, id);

CREATE INDEX tokens_parent ON tokens (parent) WHERE parent <> '';

CREATE INDEX tokens_service ON tokens (user_id, expires) WHERE kind = 'service';

CREATE INDEX tokens_user ON tokens (user_id, issued, id);

CREATE TABLE user_bindings (
    user_id TEXT    NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    issuer  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    bound   INTEGER NOT NULL,
    UNIQUE (issuer, subject)
) STRICT;

CREATE TABLE users (
    id          TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL UNIQUE,
    full_name   TEXT    NOT NULL,
    email       TEXT    NOT NULL,
    description TEXT    NOT NULL,
    roles       TEXT    NOT NULL,
    projects    TEXT    NOT NULL,
    keys        TEXT    NOT NULL,
    source      INTEGER NOT NULL,
    password    TEXT    NOT NULL,
    disabled    INTEGER NOT NULL,
    created     INTEGER NOT NULL,
    modified    INTEGER NOT NULL,
    modified_by TEXT    NOT NULL,
    last_login  INTEGER NOT NULL
) STRICT;
