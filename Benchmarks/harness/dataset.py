"""The data that is measured on: the same on every run, except for the moment it ends at.

Ids are what the product makes: milliseconds since 2024 << 22 | 22 bits. Here those milliseconds and bits follow from the
row's number, so that pgbench can compute the id of a random row and run the product's own statements.
"""

import ctypes
import ctypes.util
import itertools
import random
import subprocess
import time

EPOCH_MS = 1_704_067_200_000
DAY_MS = 86_400_000
PASSWORD = "correct horse"
# Knuth's multiplicative hash: spreads row numbers over the 22 bits. load/pgbench/*.sql repeat it.
MIX = 2_654_435_761
WORDS = (
    "the a river stone light early coffee build ship test again green morning small quiet release train city cloud "
    "paper blue garden music late window new simple road winter"
).split()


class Size:
    """`followees` is the mean; the most anyone follows is half of all."""

    def __init__(self, users, followees, posts):
        self.users, self.followees, self.posts = users, followees, posts


FULL = Size(users=10_000, followees=200, posts=200_000)
QUICK = Size(users=1_000, followees=50, posts=20_000)


class Dataset:
    def __init__(self, size):
        self.size = size
        now = int(time.time() * 1000) - EPOCH_MS
        self.first_post_ms, self.post_step_ms = now - 30 * DAY_MS, 30 * DAY_MS // size.posts
        self.first_user_ms, self.user_step_ms = self.first_post_ms - 300 * DAY_MS, 300 * DAY_MS // size.users
        chance = random.Random(7)
        self.followees = [[] for _ in range(size.users)]
        self.authors = []
        self._connect(chance)
        self.chance = chance

    def user_id(self, n):
        return (self.first_user_ms + n * self.user_step_ms) << 22 | n * MIX & 0x3FFFFF

    def post_id(self, n):
        return (self.first_post_ms + n * self.post_step_ms) << 22 | n * MIX & 0x3FFFFF

    def session_id(self, n):
        return (self.first_post_ms + n) << 22 | n * MIX & 0x3FFFFF

    def _connect(self, chance):
        """Who follows whom and who writes: log-normal out, Zipf-like in, the popular write more."""
        users = self.size.users
        by_popularity = list(range(users))
        chance.shuffle(by_popularity)
        weights = list(itertools.accumulate((rank + 20) ** -0.8 for rank in range(users)))
        for follower in range(users):
            wanted = int(min(users / 2, max(1, chance.lognormvariate(0, 1) * self.size.followees * 0.607)))
            chosen = set()
            while len(chosen) < wanted:
                chosen.update(chance.choices(by_popularity, cum_weights=weights, k=wanted - len(chosen)))
                chosen.discard(follower)
            self.followees[follower] = list(chosen)
        self.authors = chance.choices(by_popularity, cum_weights=weights, k=self.size.posts)

    def followers(self, author):
        return [follower for follower, followees in enumerate(self.followees) if author in followees]

    def most_followed(self):
        count = [0] * self.size.users
        for followee in itertools.chain.from_iterable(self.followees):
            count[followee] += 1
        return count.index(max(count))

    def load(self, database_url):
        """Fills the schema, which must be there and empty. Counters are exact."""
        follower_count, post_count = [0] * self.size.users, [0] * self.size.users
        for followee in itertools.chain.from_iterable(self.followees):
            follower_count[followee] += 1
        for author in self.authors:
            post_count[author] += 1
        password_hash = argon2id(PASSWORD)
        horizon = EPOCH_MS + self.first_post_ms + 90 * DAY_MS

        def users():
            for n, followees in enumerate(self.followees):
                created = EPOCH_MS + self.first_user_ms + n * self.user_step_ms
                yield (
                    f"{self.user_id(n)}\t{username(n)}\tUser {n}\tuser\t{password_hash}\t{created}"
                    f"\t{follower_count[n]}\t{len(followees)}\t{post_count[n]}\n"
                )

        def sessions():
            for n in range(self.size.users):
                yield f"{self.session_id(n)}\t{self.user_id(n)}\t0\t{EPOCH_MS + self.first_post_ms + n}\t{horizon}\n"

        def follows():
            ids = [str(self.user_id(n)) for n in range(self.size.users)]
            for follower, followees in enumerate(self.followees):
                yield "".join(f"{ids[follower]}\t{ids[f]}\t{EPOCH_MS + self.first_post_ms}\n" for f in followees)

        def posts():
            prose = " ".join(self.chance.choices(WORDS, k=100_000))
            for n, author in enumerate(self.authors):
                length = int(min(500, max(8, self.chance.lognormvariate(4.6, 0.7))))
                start = self.chance.randrange(len(prose) - length)
                text = prose[start : start + length].strip()
                created = EPOCH_MS + self.first_post_ms + n * self.post_step_ms
                yield f"{self.post_id(n)}\t{self.user_id(author)}\t{text}\tpublic\t{created}\n"

        copy(
            database_url,
            "users (id, username, display_name, role, password_hash, created_at, follower_count, following_count,"
            " post_count)",
            users(),
        )
        copy(database_url, "sessions (id, user_id, generation, created_at, expires_at)", sessions())
        copy(database_url, "follows (follower_id, followee_id, created_at)", follows())
        copy(database_url, "posts (id, author_id, text, visibility, created_at)", posts())
        psql(database_url, "VACUUM (ANALYZE)")


def username(n):
    return f"user{n:05d}"


def psql(database_url, statement):
    return subprocess.run(
        ["psql", "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", database_url, "-c", statement],
        check=True, capture_output=True, text=True,
    ).stdout.strip()


def copy(database_url, columns, lines):
    # What was written here refers to what is there, so the triggers of the foreign keys are spared.
    command = ["psql", "--no-psqlrc", "-q", "-v", "ON_ERROR_STOP=1", database_url]
    command += ["-c", "SET session_replication_role = replica", "-c", f"COPY {columns} FROM STDIN"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:
        for line in lines:
            process.stdin.write(line)
    if process.returncode:
        raise SystemExit(f"COPY {columns} failed")


def sodium():
    library = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
    library.sodium_init()  # Chooses the fast code for this processor; without it Argon2id takes half as long again.
    return library


def argon2id(password):
    """The hash as the product's own hasher writes it: m = 19 MiB, t = 2, p = 1."""
    out = ctypes.create_string_buffer(128)
    status = sodium().crypto_pwhash_str_alg(
        out, password.encode(), ctypes.c_ulonglong(len(password)), ctypes.c_ulonglong(2),
        ctypes.c_size_t(19 * 1024 * 1024), 2,
    )
    if status:
        raise SystemExit("Argon2id is out of memory")
    return out.value.decode()
