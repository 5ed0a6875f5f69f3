"""The HTTP API: everything an agent, a helpdesk or a person can tell a case, and ask of it."""
