"""The parts of `just bench`; Python's standard library only."""
