"""A library with a film in the clear, and encrypted by each scheme."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matinee.adapters.keys import SECRET_FILE
from matinee.media.encryption import ContentKey, derived_key
from matinee.media.hls import read_media

SCHEMES = ("cenc", "cbcs")
"""In the order in which they are published: the last one is on screen."""

PROFILE = 'ladders = ["{ladder}"]\n[encryption]\nscheme = "{scheme}"\n'


@dataclass(frozen=True)
class Encrypted:
    """What ``publish --json`` printed: in the clear, and by scheme."""

    library: Path
    clear: dict[str, Any]
    by_scheme: dict[str, dict[str, Any]]
    profiles: dict[str, Path]

    @property
    def title(self) -> str:
        return str(self.clear["title"])

    def key_of(self, label: str) -> ContentKey:
        secret = (self.library / SECRET_FILE).read_bytes()
        return derived_key(secret, self.title, label)

    def key(self, label: str) -> str:
        return self.key_of(label).key.hex()

    def rendition(self, document: dict[str, Any], name: str) -> Path:
        """The folder that a package's playlist names."""
        playlist = Path(document["package"]) / f"{name}.m3u8"
        uri = read_media(playlist.read_text()).segments[0].uri
        return (playlist.parent / uri).resolve().parent

    def copied_to(self, library: Path) -> "Encrypted":
        """A copy to do harm to."""
        shutil.copytree(self.library, library)
        told = json.dumps([self.clear, self.by_scheme]).replace(str(self.library), str(library))
        clear, by_scheme = json.loads(told)
        return Encrypted(library, clear, by_scheme, self.profiles)


def encrypt(
    folder: Path, matinee: Callable[..., Any], film: Path, ladder: Path,
    unscored: tuple[Path, dict[str, Any]],
) -> Encrypted:  # fmt: skip
    """Publish the film of a library in the clear again, encrypted: no picture is made again."""
    library = folder / "library"
    shutil.copytree(unscored[0], library)
    clear = json.loads(json.dumps(unscored[1]).replace(str(unscored[0]), str(library)))
    found, profiles = {}, {}
    for scheme in SCHEMES:
        profile = profiles[scheme] = folder / f"{scheme}.toml"
        profile.write_text(PROFILE.format(ladder=ladder, scheme=scheme))
        options = ("--library", library, "--profile", profile, "--no-scores", "--json")
        ended = matinee("publish", film, *options)
        assert ended.exit_code == 0, ended.err
        found[scheme] = ended.json
    return Encrypted(library, clear, found, profiles)
