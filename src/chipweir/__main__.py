"""`python -m chipweir` is the command line."""

from chipweir.cli import main


main()
