"""The steps of the path of a film: each reads, decides, writes."""
