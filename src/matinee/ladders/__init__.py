"""The ladders that come with Matinee, as data files."""
