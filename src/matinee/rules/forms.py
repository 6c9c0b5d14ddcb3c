"""Titles and packages as JSON, between us and the function host."""

from pydantic import TypeAdapter

from matinee.ports.catalog import Package, Title

TITLE = TypeAdapter(Title)
PACKAGES = TypeAdapter(list[Package])
