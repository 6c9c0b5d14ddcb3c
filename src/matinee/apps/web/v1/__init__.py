"""``/v1``: the HTTP API on which the studio stands. Its contract is docs/reference/api.md."""
