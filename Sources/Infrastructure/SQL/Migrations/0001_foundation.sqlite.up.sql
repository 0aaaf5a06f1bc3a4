-- Accounts, sessions, posts, follows and the event log. Ids are made by the application; times are UTC milliseconds.
CREATE TABLE users (
    id              INTEGER PRIMARY KEY,
    username        TEXT NOT NULL,
    display_name    TEXT NOT NULL,
    biography       TEXT NOT NULL DEFAULT '',
    email           TEXT,
    role            TEXT NOT NULL CHECK (role IN ('user', 'admin')),
    is_suspended    INTEGER NOT NULL DEFAULT 0,
    password_hash   TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    follower_count  INTEGER NOT NULL DEFAULT 0 CHECK (follower_count >= 0),
    following_count INTEGER NOT NULL DEFAULT 0 CHECK (following_count >= 0),
    post_count      INTEGER NOT NULL DEFAULT 0 CHECK (post_count >= 0)
) STRICT;

CREATE UNIQUE INDEX users_username ON users (username);
CREATE UNIQUE INDEX users_email ON users (lower(email)) WHERE email IS NOT NULL;

CREATE TABLE sessions (
    id         INTEGER PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE posts (
    id         INTEGER PRIMARY KEY,
    author_id  INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    text       TEXT NOT NULL,
    visibility TEXT NOT NULL CHECK (visibility IN ('public', 'followers')),
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX posts_author ON posts (author_id, id DESC);

CREATE TABLE follows (
    -- Orders the lists: unique for each follow, growing with time.
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    follower_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    followee_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at  INTEGER NOT NULL,
    CHECK (follower_id <> followee_id)
) STRICT;

CREATE UNIQUE INDEX follows_pair ON follows (follower_id, followee_id);
CREATE INDEX follows_follower ON follows (follower_id, sequence DESC);
CREATE INDEX follows_followee ON follows (followee_id, sequence DESC);

-- The outbox and the log: a row is appended in the transaction of its change without a position, and gets the next
-- dense one from the relay.
CREATE TABLE events (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    position    INTEGER,
    kind        TEXT NOT NULL,
    actor_id    INTEGER NOT NULL,
    subject_id  INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX events_position ON events (position) WHERE position IS NOT NULL;
CREATE INDEX events_unstamped ON events (id) WHERE position IS NULL;

CREATE TABLE event_head (
    only_row  INTEGER PRIMARY KEY DEFAULT 1 CHECK (only_row = 1),
    position  INTEGER NOT NULL,
    published INTEGER NOT NULL
) STRICT;

INSERT INTO event_head (position, published) VALUES (0, 0);
