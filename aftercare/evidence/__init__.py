"""Evidence that is computed and never asked of the agent: pure functions of the trace and of the case."""
