"""Where a benchmark works: cores, folders that go with it, and the binaries that it measures."""

import contextlib
import os
import shutil
import tempfile
from types import SimpleNamespace

from .process import install_cleanup, own_cores, stop_all

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))


@contextlib.contextmanager
def working_place(profile, disk=None, logs=None, keyward=None):
    """Databases are on the disk to be measured, and what servers say is there too unless `logs` names another folder."""
    install_cleanup()
    disk = disk or TARGET
    os.makedirs(disk, exist_ok=True)
    binaries = os.path.join(TARGET, profile)
    server_core, load_core = own_cores()
    # This program shares the core of the load, never that of the server.
    os.sched_setaffinity(0, {load_core})
    with contextlib.ExitStack() as stack:
        folders = [tempfile.mkdtemp(prefix="keyward-bench-", dir=parent) for parent in (logs or disk, disk)]
        for folder in folders:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(stop_all)
        yield SimpleNamespace(
            root=ROOT, logs=folders[0], data=folders[1], stack=stack, profile=profile, server_core=server_core,
            load_core=load_core, hello=os.path.join(binaries, "hello"), keyward=keyward or os.path.join(binaries, "keyward"),
        )
