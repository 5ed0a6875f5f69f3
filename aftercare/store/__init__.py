"""The store: what is known about every case."""
