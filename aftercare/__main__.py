"""`python -m aftercare`: the command line, where its script is not on the path."""

from aftercare.cli import main

main()
