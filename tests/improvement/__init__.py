"""Supervisors and the improvements they start, on a real Temporal whose clock stands still until a test moves it."""
