-- Sessions.logIn without its Argon2id: the credentials, a new session, the profile
\set count :count + 1
\set now :start_ms + :count
\set session (:now << 22) | (:client_id << 12) | random(0, 4095)
\set at :now + 1704067200000
\set until :at + 2592000000
\set u random(0, :users - 1)
\set user ((:first_user_ms + :u * :user_step_ms) << 22) | ((:u * 2654435761) & 4194303)
SELECT u.id, u.username, u.display_name, u.biography, u.email, u.role, u.is_suspended, u.created_at,
    u.follower_count, u.following_count, u.post_count, u.password_hash
FROM users u WHERE u.username = 'user' || lpad(:u::text, 5, '0');
INSERT INTO sessions (id, user_id, generation, created_at, expires_at, revoked_at)
    VALUES (:session, :user, 0, :at, :until, NULL);
SELECT u.id, u.username, u.display_name, u.biography, u.email, u.role, u.is_suspended, u.created_at,
    u.follower_count, u.following_count, u.post_count,
    EXISTS (SELECT 1 FROM follows WHERE follower_id = :user AND followee_id = u.id),
    EXISTS (SELECT 1 FROM follows WHERE follower_id = u.id AND followee_id = :user)
FROM users u WHERE u.id = :user;
