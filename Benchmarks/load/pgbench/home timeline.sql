-- SQLPostStore.homeTimeline
\set u random(0, :users - 1)
\set viewer ((:first_user_ms + :u * :user_step_ms) << 22) | ((:u * 2654435761) & 4194303)
\set cursor 9223372036854775807
\set limit 21
SELECT p.id, p.author_id, p.text, p.visibility, p.created_at, u.username, u.display_name
FROM posts p JOIN users u ON u.id = p.author_id
WHERE p.id < :cursor
    AND (p.author_id = :viewer OR p.author_id IN (SELECT followee_id FROM follows WHERE follower_id = :viewer))
    AND (p.author_id = :viewer OR NOT u.is_suspended)
ORDER BY p.id DESC LIMIT :limit;
