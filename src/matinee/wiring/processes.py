"""What processes know of each other, and of the machine that they run on."""

from matinee.adapters.addresses import reached_by
from matinee.adapters.owners import die_with_parent, is_dead, this_owner

__all__ = ["die_with_parent", "is_dead", "reached_by", "this_owner"]
