"""Aftercare: follows every case a support agent resolves until it is known how the case really ended."""
