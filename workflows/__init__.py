"""The stories: deterministic, no I/O, no policy text."""
