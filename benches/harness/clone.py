"""Fills a SQLite database of Keyward with clients, faster than through the admin API.

One client that the server itself made is copied with new identifiers. Secrets are stored as a keyed hash of the value
alone, so all copies have the secret of the first. The tables are found by their columns, not by their names, so that a
migration that adds a column or a child table doesn't break the load.
"""

import secrets
import sqlite3
import time

from .process import BenchError

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def encode(number):
    """26 characters of Crockford's base32, as in `keyward_model::encode_uuid`."""
    return "".join(ALPHABET[(number >> (5 * place)) & 31] for place in range(25, -1, -1))


def uuid7():
    """A UUIDv7 as a number."""
    bits = secrets.randbits(74)
    return (int(time.time() * 1000) << 80) | (7 << 76) | ((bits >> 62) << 64) | (2 << 62) | (bits & (2**62 - 1))


def fresh_like(sample):
    """A new identifier in the form of `sample`: 16 bytes, a UUID's text, or the 26 characters with or without prefix."""
    number = uuid7()
    if isinstance(sample, bytes) and len(sample) == 16:
        return number.to_bytes(16, "big")
    if isinstance(sample, str) and len(sample) == 36:
        text = f"{number:032x}"
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    if isinstance(sample, str):
        prefix, underscore, rest = sample.rpartition("_")
        if len(rest) == 26:
            return prefix + underscore + encode(number)
    raise BenchError(f"an identifier of an unknown form: {sample!r}")


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def columns(database, table):
    return [row[1] for row in database.execute(f"PRAGMA table_info({quoted(table)})")]


def insert(database, table, names, rows):
    marks = ", ".join("?" * len(names))
    listed = ", ".join(map(quoted, names))
    database.executemany(f"INSERT INTO {quoted(table)} ({listed}) VALUES ({marks})", rows)


def find(database, client_id):
    """The table of applications and its row for `client_id`, and the tables whose rows belong to an application."""
    tables = [row[0] for row in database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")]
    owner, children = None, []
    for table in tables:
        names = columns(database, table)
        if "holder_id" in names:
            children.append(table)
        elif {"id", "client_id", "environment"} <= set(names):
            row = database.execute(f"SELECT * FROM {quoted(table)} WHERE client_id = ?", (client_id,)).fetchone()
            if row:
                owner = (table, dict(zip(names, row, strict=True)))
    if owner is None:
        raise BenchError(f"no table of applications with {client_id}")
    return owner, children


def load_clients(path, total, client_id):
    """Copies `client_id` until there are `total` applications; their client IDs, `client_id` first.

    No server may have the database open.
    """
    database = sqlite3.connect(path)
    try:
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA foreign_keys = ON")
        (table, original), children = find(database, client_id)
        present = database.execute(f"SELECT count(*) FROM {quoted(table)}").fetchone()[0]
        prefix = client_id.rpartition(".")[0]
        names = [f"{prefix}.load-{number:07}" for number in range(max(0, total - present))]
        ids = [fresh_like(original["id"]) for _ in names]
        with database:
            rows = ({**original, "id": new, "client_id": name, "name": name} for new, name in zip(ids, names, strict=True))
            keys = list(original)
            insert(database, table, keys, ([row.get(key) for key in keys] for row in rows))
            for child in children:
                copy_children(database, child, original["id"], ids)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return [client_id, *names]
    finally:
        database.close()


def copy_children(database, table, original, ids):
    """Gives each new application a copy of the original's rows in `table`."""
    names = columns(database, table)
    templates = [dict(zip(names, row, strict=True)) for row in database.execute(
        f"SELECT * FROM {quoted(table)} WHERE holder_id = ?", (original,))]

    def rows():
        for application in ids:
            for template in templates:
                row = {**template, "holder_id": application}
                if "id" in row:
                    row["id"] = fresh_like(row["id"])
                yield list(row.values())

    insert(database, table, names, rows())
