"""The profiles that come with Matinee, as data files."""

from dataclasses import replace
from pathlib import Path

from matinee.core.errors import ProfileInvalid, UsageError
from matinee.ladders import load_ladder
from matinee.media.ladder import Ladder
from matinee.media.ladder_checks import BUDGETS, TARGETS
from matinee.media.profile import Parts, Profile, parse_profile, profile_of

SHIPPED = Path(__file__).parent
DEFAULT = "standard"


def load_wished(
    profile: str | None, ladder: str | None, target_vmaf: float | None = None,
    cpu_budget: float | None = None,
) -> Profile:  # fmt: skip
    """What is asked for: a profile, its pictures by another ladder, or a ladder alone.

    Args:
        profile: A name or a file; None: the default, or none where a ladder is given.
        ladder: A name or a file.
        target_vmaf: What the largest picture of every ladder is to have, whatever they say.
        cpu_budget: Processor time beside that of the ladders' presets, whatever they say.

    Raises:
        ProfileInvalid: there is no such profile, or it is none. LadderInvalid: the same.
        UsageError: a figure is out of bounds.
    """
    for name, figure, (low, high) in (
        ("target of VMAF", target_vmaf, TARGETS),
        ("processor budget", cpu_budget, BUDGETS),
    ):
        if figure is not None and not low <= figure <= high:  # so is what is no number
            raise UsageError(f"a {name} is from {low:g} to {high:g}, not {figure:g}")
    wished = _wished(profile, ladder)
    wished = wished if target_vmaf is None else wished.with_target(target_vmaf)
    return wished if cpu_budget is None else wished.with_budget(cpu_budget)


def _wished(profile: str | None, ladder: str | None) -> Profile:
    if profile is None:
        return load_profile(DEFAULT) if ladder is None else profile_of(load_ladder(ladder))
    wished = load_profile(profile)
    return wished if ladder is None else wished.with_ladder(load_ladder(ladder))


def load_profile(name: str, folder: Path = Path(), above: tuple[Path, ...] = ()) -> Profile:
    """A shipped profile by its name, or a profile file by its path.

    Args:
        name: The name or path.
        folder: What a path is relative to: the folder of the file that names it.
        above: The files that include this one.

    Raises:
        ProfileInvalid: neither, or not a profile. LadderInvalid: a ladder that it names is none.
    """
    path = place(SHIPPED, name, folder)
    if path in above:
        raise ProfileInvalid(f"profile {path.stem} includes itself")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(sorted(profile.stem for profile in SHIPPED.glob("*.toml")))
        raise ProfileInvalid(
            f"no profile {name!r}", f"shipped profiles: {known}; or give a profile file's path"
        ) from error

    def ladder_at(wanted: str) -> Ladder:
        beside = path.parent / wanted
        return load_ladder(str(beside) if beside.is_file() else wanted)

    def included(wanted: str) -> Profile:
        return load_profile(wanted, path.parent, (*above, path))

    profile = parse_profile(path.stem, text, Parts(ladder_at, included))
    return _with_key_file(profile, path.parent)


def _with_key_file(profile: Profile, folder: Path) -> Profile:
    """A key file's path is relative to the profile that names it first."""
    wanted = profile.encryption
    if wanted is None or not wanted.keys.startswith("file:"):
        return profile
    file = (folder / wanted.keys.removeprefix("file:")).absolute()
    return replace(profile, encryption=replace(wanted, keys=f"file:{file}"))


def place(shipped: Path, name: str, folder: Path) -> Path:
    """Where the file of that name lies."""
    inside = shipped / f"{name}.toml"
    return inside if inside.is_file() else folder / name
