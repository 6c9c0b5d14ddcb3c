"""Assets and the derivations that made them. Pure."""
