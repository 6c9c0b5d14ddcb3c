"""Films that the program published by a profile of the test's own, made once by a fixture."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import Ended

Run = Callable[..., Ended]


@dataclass(frozen=True)
class Published:
    """A library with the title, what it was made of, and what ``publish --json`` printed."""

    library: Path
    film: Path
    profile: Path | str
    document: dict[str, Any]

    @property
    def title(self) -> str:
        return str(self.document["title"])

    @property
    def folder(self) -> Path:
        return self.library / "titles" / self.title

    @property
    def again(self) -> tuple[object, ...]:
        """The command that publishes it once more, but for its options."""
        return ("publish", self.film, "--profile", self.profile, "--library", self.library)

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.document["renditions"] if one["type"] == kind]

    def verdicts(self, judge: str) -> dict[str, dict[str, Any]]:
        return {v["subject"]: v for v in self.document["verdicts"] if v["judge"] == judge}


def write_profile(folder: Path, name: str, ladders: Mapping[str, str], more: str = "") -> Path:
    """A profile with its ladders, given by their names, beside it."""
    for ladder, text in ladders.items():
        (folder / f"{ladder}.toml").write_text(text)
    path = folder / f"{name}.toml"
    path.write_text(f"ladders = {[f'{ladder}.toml' for ladder in ladders]!r}\n{more}")
    return path


def publish_by(
    folder: Path, matinee: Run, film: Path, profile: Path, *options: object
) -> Published:
    """Publish a film into a new library in the folder."""
    library = folder / "library"
    command = ("publish", film, "--profile", profile, "--library", library, "--json")
    ended = matinee(*command, *options)
    assert ended.exit_code == 0, ended.err
    return Published(library, film, profile, ended.json)
