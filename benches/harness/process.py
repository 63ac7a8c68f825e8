"""Processes: started on one core, measured through /proc, and never left behind."""

import atexit
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
_running = []


class BenchError(Exception):
    """Why the run can't go on."""


def own_cores():
    """The core of the servers and the core of the load."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise BenchError("two cores are needed: one for the server, one for the load")
    return cores[0], cores[1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _in_child(core):
    # The kernel ends the child if this process dies without a chance to clean up.
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.sched_setaffinity(0, {core})


def stop_all(*_):
    while _running:
        _running[-1].stop()


def install_cleanup():
    """Ends everything that was started, however this process ends."""
    atexit.register(stop_all)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))


def _stats():
    """(parent, CPU ticks with those of reaped children, RSS pages) by process id."""
    table = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat") as file:
                # The name of the program is in parentheses and may hold spaces.
                fields = file.read().rpartition(")")[2].split()
                table[int(name)] = (int(fields[1]), sum(map(int, fields[11:15])), int(fields[21]))
    return table


def tree(root, table):
    """`root` and its descendants."""
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        if pid in table:
            found.append(pid)
            queue.extend(child for child, (parent, _, _) in table.items() if parent == pid)
    return found


def descendants(root):
    """The ids of a process and its descendants."""
    return tree(root, _stats())


def cpu_seconds(root):
    """User and system time of a process and its descendants, in seconds; 0 for none."""
    if root is None:
        return 0.0
    table = _stats()
    return sum(table[pid][1] for pid in tree(root, table)) / TICKS


def rss_mb(root):
    """Resident memory of a process and its descendants, in MB (10^6 bytes)."""
    table = _stats()
    return sum(table[pid][2] for pid in tree(root, table)) * PAGE / 1e6


class Process:
    """A server on one core, with a log of its own."""

    def __init__(self, argv, *, core, log, cwd=None, env=None):
        self.log = log
        self.spawned = time.perf_counter()
        with open(log, "wb") as output:
            self.child = subprocess.Popen(
                argv, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=lambda: _in_child(core),
            )
        self.pid = self.child.pid
        _running.append(self)

    def check(self):
        """Raises with the end of the log when the process has ended."""
        code = self.child.poll()
        if code is not None:
            with open(self.log, errors="replace") as log:
                tail = "".join(log.readlines()[-15:])
            raise BenchError(f"{self.child.args[0]} ended with {code}:\n{tail}")

    def stop(self):
        if self in _running:
            _running.remove(self)
        for number, seconds in ((signal.SIGTERM, 12), (signal.SIGKILL, 5)):
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                # The group is this child's own: it was started in a new session.
                os.killpg(self.pid, number)
                self.child.wait(seconds)
        self.child.poll()


class PeakRss:
    """The largest resident memory that was seen while the block ran."""

    def __init__(self, pid):
        self.pid, self.mb, self.over = pid, 0.0, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while not self.over.wait(0.2):
            self.mb = max(self.mb, rss_mb(self.pid))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.mb = max(self.mb, rss_mb(self.pid))


def fsync_ms(folder, times=200):
    """Milliseconds of `times` appends of 4 KiB with fsync, sorted."""
    path, block, taken = os.path.join(folder, "fsync.probe"), os.urandom(4096), []
    file = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    try:
        for _ in range(times):
            start = time.perf_counter()
            os.write(file, block)
            os.fsync(file)
            taken.append((time.perf_counter() - start) * 1e3)
    finally:
        os.close(file)
        os.unlink(path)
    return sorted(taken)


def percentile(ordered, percent):
    """The nearest-rank percentile of sorted values."""
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * percent // 100) - 1))]
