"""Matinee: a film goes in; verified streams that play come out."""

__version__ = "0.1.0"
