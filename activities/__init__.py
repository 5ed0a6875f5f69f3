"""Thin I/O shells: fetch, pure call, write."""
