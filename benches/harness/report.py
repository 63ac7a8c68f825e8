"""The tables of a run, and its verdicts against the targets."""

import datetime
import os
import platform
import statistics
import subprocess

HEAD = """# Benchmarks

Written by `just bench`; don't edit. Figures are worth something only within one run: the machine is part of them. So
every figure stands beside that of a reference measured in the same run, and the verdicts are about ratios where the
target is one.

**Method.** One server at a time, pinned to one core, with one worker; `wrk` on another core, keep-alive, loopback,
{connections} connections unless said otherwise. The servers take turns (A B C A B C), {rounds} rounds of {seconds} s each
after a warm-up. CPU is user and system time of the server's process tree (`/proc`) over the requests answered. A ratio is
computed in each round; the tables show the median, and in brackets the lowest and highest round. A run with a single
refused or broken request is void.

- *hello* reads the same form and answers 700 bytes of JSON, and does nothing else: same crates, allocator, build flags.
- *hello that signs* also makes one ES256 signature for each reply (`ring`): no token costs less. How much of hello that is
  depends on the machine, so what a grant costs beyond it is told in signatures, too. The bounds of that row are those of
  the row above it on the machine for which they were set, where hello took 25 µs and a signature as long.
- *Keyward* has its defaults but for the limit per client, which is off. A grant is durable: its audit record is synced
  to the disk (`synchronous=FULL`) before the reply.
- *oidc-provider* signs the same algorithm (ES256) and stores nothing.
- *fsync* is an append of 4 KiB on the file system of the database, measured beside Keyward's turns.
- Databases beyond ten clients are filled by copying rows; the load then goes round the active clients.
"""


def median(values):
    return statistics.median(values) if values else None


def ratios(above, below):
    """Round by round."""
    return [a / b for a, b in zip(above, below, strict=False) if b]


def beyond(hello, signed, own):
    """What a grant costs more than hello with a signature, in signatures, round by round."""
    rounds = zip(hello, signed, own, strict=False)
    return [(grant - least) / (least - bare) for bare, least, grant in rounds if least > bare]


def show(values, digits=2):
    if not values:
        return "–"
    text = f"{median(values):.{digits}f}"
    return text if len(values) == 1 else f"{text} ({min(values):.{digits}f}–{max(values):.{digits}f})"


class Results:
    """Values by (server, work, metric), one per round."""

    def __init__(self):
        self.values = {}

    def add(self, server, work, figures):
        for metric, value in figures.items():
            self.values.setdefault((server, work, metric), []).append(value)

    def get(self, server, work, metric):
        return self.values.get((server, work, metric), [])


def verdict(value, must, aim, at_most):
    if value is None:
        return "not measured"
    good = (lambda bound: value <= bound) if at_most else (lambda bound: value >= bound)
    if aim is not None and good(aim):
        return "pass, aim reached"
    return "pass" if good(must) else "**short**"


def target(name, values, must, aim=None, *, at_most=False, unit="", digits=2, missing="not measured in this run"):
    """A row: name, measured, must, aim, verdict."""
    sign = "≤" if at_most else "≥"
    bound = [f"{sign} {value:.4g}{unit}" if value is not None else "" for value in (must, aim)]
    if not values:
        return [name, "–", *bound, missing]
    return [name, show(values, digits) + unit, *bound, verdict(median(values), must, aim, at_most)]


def targets(results, large):
    """Every target that a running server can be held to."""
    get = results.get
    hello, peer, own = (get(name, "grant", "cpu") for name in ("hello", "oidc-provider", "keyward"))
    signed = get("hello", "signed", "cpu")
    absent = "the server has no such endpoint yet"
    rows = [
        target("durable grant per CPU-second / hello", ratios(hello, own), 0.22, 0.35),
        target("a grant beyond hello that signs, in signatures", beyond(hello, signed, own), 2.56, 0.86, at_most=True),
        target("durable grant per CPU-second / oidc-provider", ratios(peer, own), 5, 8, unit="x", digits=1),
        target("its p50 at 32 connections / oidc-provider's",
               ratios(get("keyward", "grant", "p50"), get("oidc-provider", "grant", "p50")), 1 / 3, 1 / 6, at_most=True),
        target("its p99 at 1 connection / (2 fsync + 1 ms)",
               ratios(get("keyward", "single", "p99"), [2 * value + 1 for value in get("disk", "fsync", "p50")]),
               1, at_most=True),
        target("API-key check, `keys/verify` / hello", ratios(hello, get("keyward", "verify", "cpu")), 0.5, 0.65,
               missing=absent),
        target("API-key check, forward-auth / hello", ratios(hello, get("keyward", "forward", "cpu")), 0.5, 0.65,
               missing=absent),
        target("introspection of 200 live tokens / hello", ratios(hello, get("keyward", "introspect", "cpu")), 0.4, 0.6),
        target("list of 100 of 100,000 rows, p95", get("keyward", "list", "p95"), 25, 8, at_most=True, unit=" ms", digits=1),
    ]
    million = large == 1_000_000
    growth = ratios(get("keyward", "large", "cpu"), get("keyward", "small", "cpu"))
    row = target(f"growth: CPU of a grant at {large:,} clients / 1,000", growth, 1.25, 1.1, at_most=True, unit="x")
    start = target(f"start to first token, {large:,} clients", get("keyward", "large", "first"), 5000, 1000,
                   at_most=True, unit=" ms", digits=0)
    for line in (row, start):
        if line[1] != "–" and not million:
            line[-1] = f"at {large:,} only: {line[-1]} (1,000,000 needs `--million`)"
    memory = [("idle", "grant", "idle", 40, 20), ("under load", "grant", "rss", 80, 40),
              ("with 100,000 clients", "100k", "rss", 250, 120)]
    rows.append(row)
    rows += [target(f"memory, {name}", get("keyward", work, metric), must, aim, at_most=True, unit=" MB", digits=0)
             for name, work, metric, must, aim in memory]
    rows.append(target("start to first token, 10 clients", get("keyward", "grant", "first"), 250, 60, at_most=True,
                       unit=" ms", digits=0))
    rows.append(start)
    rows.append(target("binary, stripped", get("keyward", "binary", "mb"), 30, 20, at_most=True, unit=" MB", digits=1))
    return rows


def figures(results, labels):
    """The measured figures of every server and work, those of hello first."""
    works = [("grant", ""), ("signed", " that signs"), ("introspect", ", introspection"), ("verify", ", keys/verify"), ("forward", ", forward-auth"),
             ("small", ", grant at 1,000 clients"), ("large", ", grant at the larger number"),
             ("100k", ", grant going round 100,000 clients")]
    reference, rows = median(results.get("hello", "grant", "cpu")), []
    for name, label in labels:
        for work, suffix in works:
            cpu = results.get(name, work, "cpu")
            if not cpu:
                continue
            once = work == "grant"
            get = lambda metric, of=work, name=name: results.get(name, of, metric)
            database = median(get("cpu_database"))
            rows.append([
                label + suffix,
                show(cpu, 0) + (f" + {database:.0f} database" if database else ""),
                f"{median(cpu) / reference:.1f}x" if reference else "–",
                show(get("rate"), 0),
                f"{median(get('p50')):.1f} / {median(get('p99')):.1f}",
                f"{median(get('p50', 'single')):.2f} / {median(get('p99', 'single')):.2f}" if once else "",
                (f"{median(get('idle')):.0f} / " if get("idle") else "") + f"{median(get('rss')):.0f}",
                f"{median(get('first')):.0f}" if get("first") else "",
            ])
    return rows


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def output(*command):
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return ""
    return (run.stdout or run.stderr).strip().split("\n")[0]


def machine(place, versions):
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown")
    file_system = output("findmnt", "-no", "FSTYPE", "-T", place.data) or "unknown"
    commit = output("git", "-C", place.root, "rev-parse", "--short=12", "--verify", "-q", "HEAD") or "no commit"
    used = [f"{output('rustc', '--version')}, profile `{place.profile}`", *versions,
            output("wrk", "-v").split(" Copyright")[0]]
    return (f"**Machine.** {model}, {os.cpu_count()} cores; Linux {platform.release()}; {file_system}. "
            f"{'; '.join(used)}. Commit {commit}, "
            f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC.")


def render(results, place, options, labels, versions):
    head = HEAD.format(connections=options.connections, rounds=options.rounds, seconds=options.seconds)
    parts = [head, machine(place, versions) + "\n"]
    if any(name.startswith("keyward") for name, _ in labels):
        parts += ["## Targets\n", table(["", "measured", "must", "aim", ""], targets(results, options.large)) + "\n"]
    columns = ["", "CPU µs per request", "of hello's CPU", "requests/s", f"p50 / p99 ms, {options.connections} connections",
               "p50 / p99 ms, 1 connection", "MB idle / load", "ms to first token"]
    parts += ["## Figures\n", table(columns, figures(results, labels)) + "\n"]
    if results.get("disk", "fsync", "p50"):
        parts.append(f"One fsync: p50 {show(results.get('disk', 'fsync', 'p50'))} ms, "
                     f"p99 {show(results.get('disk', 'fsync', 'p99'))} ms.\n")
    listed = results.get("keyward", "list", "p95")
    if listed:
        parts.append(f"Lists, one connection, read by Python: p50 {show(results.get('keyward', 'list', 'p50'))} ms, "
                     f"p95 {show(listed)} ms; the same client against hello: "
                     f"p50 {show(results.get('hello', 'python', 'p50'))} ms, p95 {show(results.get('hello', 'python', 'p95'))} ms.\n")
    busy = [(label, median(results.get(name, "grant", "busy"))) for name, label in labels]
    parts.append("Share of its core that the server used under load: "
                 + ", ".join(f"{label} {value:.2f}" for label, value in busy if value is not None) + ".")
    return "\n".join(parts) + "\n"
