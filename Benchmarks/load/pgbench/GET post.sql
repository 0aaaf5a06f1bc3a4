-- SQLPostStore.post
\set n random(0, :posts - 1)
\set post ((:first_post_ms + :n * :post_step_ms) << 22) | ((:n * 2654435761) & 4194303)
\set u random(0, :users - 1)
\set viewer ((:first_user_ms + :u * :user_step_ms) << 22) | ((:u * 2654435761) & 4194303)
SELECT p.id, p.author_id, p.text, p.visibility, p.created_at, u.username, u.display_name
FROM posts p JOIN users u ON u.id = p.author_id
WHERE p.id = :post AND (p.author_id = :viewer OR NOT u.is_suspended AND (p.visibility = 'public'
    OR EXISTS (SELECT 1 FROM follows f WHERE f.follower_id = :viewer AND f.followee_id = p.author_id)));
