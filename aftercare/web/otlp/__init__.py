"""Traces: OTLP/HTTP spans that follow the GenAI semantic conventions become cases and their steps."""
