"""The one package that names adapters: puts the parts of Matinee together."""
