"""Identity, time, errors and verdicts: what every layer speaks. Standard library only."""
