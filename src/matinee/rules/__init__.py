"""Rules: when an event matches, if a condition holds, do a function, at most so often."""
