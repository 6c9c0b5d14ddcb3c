"""``python -m matinee``."""

from matinee.apps.cli import main

main()
