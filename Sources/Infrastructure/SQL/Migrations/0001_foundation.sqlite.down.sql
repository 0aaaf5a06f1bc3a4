DROP TABLE event_head;
DROP TABLE events;
DROP TABLE follows;
DROP TABLE posts;
DROP TABLE sessions;
DROP TABLE users;
