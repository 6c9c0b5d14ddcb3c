"""``matinee up``: the whole service on one machine, in one process tree."""
