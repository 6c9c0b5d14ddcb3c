"""The command line. Every command's imports are its own, so that ``--help`` answers at once."""

from matinee.apps.cli.main import main

__all__ = ["main"]
