-- Accounts, sessions, posts, follows and the event log. Ids are made by the application; times are UTC milliseconds.
-- Keys compare byte by byte ("C"), so that order does not depend on the machine's locale.
CREATE TABLE users (
    id              bigint PRIMARY KEY,
    username        text COLLATE "C" NOT NULL,
    display_name    text NOT NULL,
    biography       text NOT NULL DEFAULT '',
    email           text COLLATE "C",
    role            text COLLATE "C" NOT NULL CHECK (role IN ('user', 'admin')),
    is_suspended    boolean NOT NULL DEFAULT false,
    password_hash   text COLLATE "C" NOT NULL,
    created_at      bigint NOT NULL,
    follower_count  bigint NOT NULL DEFAULT 0 CHECK (follower_count >= 0),
    following_count bigint NOT NULL DEFAULT 0 CHECK (following_count >= 0),
    post_count      bigint NOT NULL DEFAULT 0 CHECK (post_count >= 0)
) WITH (fillfactor = 85); -- room for the counters' updates on the same page (HOT)

CREATE UNIQUE INDEX users_username ON users (username);
CREATE UNIQUE INDEX users_email ON users (lower(email)) WHERE email IS NOT NULL;

CREATE TABLE sessions (
    id         bigint PRIMARY KEY,
    user_id    bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    generation bigint NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    revoked_at bigint
);

CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE posts (
    id         bigint PRIMARY KEY,
    author_id  bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    text       text NOT NULL,
    visibility text COLLATE "C" NOT NULL CHECK (visibility IN ('public', 'followers')),
    created_at bigint NOT NULL
);

CREATE INDEX posts_author ON posts (author_id, id DESC);

CREATE TABLE follows (
    follower_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    followee_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- Orders the lists: unique for each follow, growing with time.
    sequence    bigint GENERATED ALWAYS AS IDENTITY,
    created_at  bigint NOT NULL,
    PRIMARY KEY (follower_id, followee_id),
    CHECK (follower_id <> followee_id)
);

CREATE INDEX follows_follower ON follows (follower_id, sequence DESC);
CREATE INDEX follows_followee ON follows (followee_id, sequence DESC);

-- The outbox and the log: a row is appended in the transaction of its change without a position, and gets the next
-- dense one from the relay. Ids follow the order of changes of one row, since they are drawn while that row is locked.
CREATE TABLE events (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    position    bigint,
    kind        text COLLATE "C" NOT NULL,
    actor_id    bigint NOT NULL,
    subject_id  bigint NOT NULL,
    recorded_at bigint NOT NULL
);

CREATE UNIQUE INDEX events_position ON events (position) WHERE position IS NOT NULL;
CREATE INDEX events_unstamped ON events (id) WHERE position IS NULL;

CREATE TABLE event_head (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position  bigint NOT NULL,
    published bigint NOT NULL
);

INSERT INTO event_head (position, published) VALUES (0, 0);
