"""A small real shop: an HTTP service with its own database, the system of record an agent acts on."""
