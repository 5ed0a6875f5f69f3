"""The verbs of the command line: cases, policy books, and the doctor."""
