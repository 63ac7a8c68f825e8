"""How a script says what it found."""

import sys


def equal(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def verified(what):
    print(f"verified: {what}", flush=True)


def refused(what, error, call):
    """The `error` that `call` must end with."""
    try:
        call()
    except error as raised:
        verified(f"{what}: {type(raised).__name__}")
        return raised
    sys.exit(f"{what}: not refused")
