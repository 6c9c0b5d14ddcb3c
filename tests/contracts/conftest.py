"""Films for the contracts of the media tools."""

from tests.films import films as films
