"""Tables filled by copying one row of each, in SQLite and PostgreSQL alike."""

import sqlite3
import subprocess

from .process import BenchError

# What must differ from row to row, and what it becomes.
UNIQUE = {
    "name": "r.name || ' ' || n.n", "slug": "r.slug || '-' || n.n", "client_id": "r.client_id || '-' || n.n",
    "publishable_key": "r.publishable_key || n.n", "email": "n.n || r.email", "email_key": "n.n || r.email_key",
}
SQLITE = {
    "columns": "SELECT name FROM pragma_table_info('{table}')",
    "numbers": "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {rows}) SELECT n FROM s)",
    "padded": "printf('%026d', {n})",
    "earlier": "strftime('%Y-%m-%d %H:%M:%f', {column}, '-' || n.n || ' seconds')",
    "bytes": "CAST(printf('%032d', n.n) AS BLOB)",
    "settle": "ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)",
}
POSTGRES = {
    "columns": "SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'",
    "numbers": "(SELECT generate_series AS n FROM generate_series(1, {rows}))",
    "padded": "lpad({n}::text, 26, '0')",
    "earlier": "{column} - n.n * interval '1 second'",
    "bytes": "convert_to(lpad(n.n::text, 32, '0'), 'UTF8')",
    "settle": "VACUUM ANALYZE",
}


class Database:
    """Where statements run; `target` is a file or an address."""

    def __init__(self, target):
        self.target, self.words = target, POSTGRES if target.startswith("postgres") else SQLITE

    def run(self, statement):
        """The first column of what it returns."""
        if self.words is SQLITE:
            database = sqlite3.connect(self.target, isolation_level=None)
            try:
                if statement.startswith("SELECT"):
                    return [row[0] for row in database.execute(statement)]
                database.executescript(statement)
                return []
            finally:
                database.close()
        command = ["psql", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-c", statement, self.target]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise BenchError(f"psql: {run.stderr[-500:]}")
        return run.stdout.split()

    def settle(self):
        """As a database is that has been there for a while."""
        self.run(self.words["settle"])

    def fill(self, table, like, rows, tenants=0):
        """Copies of the row `like`, made one second before each other. Every other one keeps the row's tenant; the rest are
        spread over the first `tenants` copies of a tenant."""
        words, prefix = self.words, like.split("_")[0]
        columns = self.run(words["columns"].format(table=table))

        def value(column):
            if column == "id":
                return f"'{prefix}_' || " + words["padded"].format(n="n.n")
            if column == "created_at":
                return words["earlier"].format(column="r.created_at")
            if column == "hash":
                return words["bytes"]
            if column == "tenant_id" and tenants:
                other = "'tnt_' || " + words["padded"].format(n=f"(1 + n.n / 2 % {tenants})")
                return f"CASE WHEN n.n % 2 = 0 THEN r.tenant_id ELSE {other} END"
            if column == "partner_id" and table == "tenants":
                return "CASE WHEN n.n % 2 = 0 THEN r.partner_id END"
            if column in UNIQUE:
                return UNIQUE[column]
            return f"r.{column}"

        listed = ", ".join(columns)
        values = ", ".join(map(value, columns))
        numbers = words["numbers"].format(rows=rows)
        self.run(f"INSERT INTO {table} ({listed}) SELECT {values} FROM {table} r, {numbers} n WHERE r.id = '{like}'")
