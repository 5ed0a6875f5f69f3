"""The contract: frozen models, imported by everyone, importing nobody."""
