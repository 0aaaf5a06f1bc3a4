-- SQLPostStore.insert: one transaction, one round trip. Ids grow as the product's do; no two clients make the same.
\set count :count + 1
\set now :start_ms + :count
\set post (:now << 22) | (:client_id << 12) | random(0, 4095)
\set at :now + 1704067200000
\set u random(0, :users - 1)
\set author ((:first_user_ms + :u * :user_step_ms) << 22) | ((:u * 2654435761) & 4194303)
\startpipeline
INSERT INTO posts (id, author_id, text, visibility, created_at)
    VALUES (:post, :author, repeat('measure ', 17) || '1234', 'public', :at);
INSERT INTO events (kind, actor_id, subject_id, recorded_at) VALUES ('post.created', :author, :post, :at);
UPDATE users SET post_count = post_count + 1 WHERE id = :author RETURNING username, display_name;
\endpipeline
