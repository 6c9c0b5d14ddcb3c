"""One folder or module per tool; only ``wiring`` names them."""
