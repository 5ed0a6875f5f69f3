"""Histories of every path a case can take, committed, and replayed against the workflows of today."""
