"""Benches: every figure beside its bar, as a ratio to a baseline of the same run."""
