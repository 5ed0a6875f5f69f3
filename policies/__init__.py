"""What a person may edit, and the small pure engine that reads it. One folder of YAML per domain."""
