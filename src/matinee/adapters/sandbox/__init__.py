"""Runs media tools confined: a launcher gives up every right that the tool does not need."""
