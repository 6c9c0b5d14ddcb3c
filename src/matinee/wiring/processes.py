"""What processes know of each other."""

from matinee.adapters.owners import die_with_parent, is_dead, this_owner

__all__ = ["die_with_parent", "is_dead", "this_owner"]
