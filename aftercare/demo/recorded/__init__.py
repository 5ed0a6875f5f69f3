"""Recorded cases: what an agent did, and, kept apart from it, what came of it."""
