"""Adapters to the systems outside, each with an in-memory twin."""
