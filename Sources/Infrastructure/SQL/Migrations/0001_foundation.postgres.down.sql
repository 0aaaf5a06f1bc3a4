DROP TABLE event_head, events, follows, posts, sessions, users;
