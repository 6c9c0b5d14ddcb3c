"""Publish: the catalog's row is the truth, the title's entry manifests are projections of it.

An entry manifest is written in one step and names immutable paths only. After a crash between row
and projection, projecting again mends it: ``project`` may be run at any time, any number of times.
"""

from datetime import datetime
from pathlib import PurePath

from matinee.core.errors import NotFound
from matinee.media.media_types import MEDIA_TYPES
from matinee.media.packaging import DASH, HLS, entry_manifests
from matinee.ports.catalog import Packages, Title
from matinee.ports.keys import KeysOutdated
from matinee.ports.store import ObjectStore
from matinee.stages.unlock import has_old_keys

ENTRY_HLS, ENTRY_DASH = "main.m3u8", "main.mpd"


def title_key(title_id: str, path: str) -> str:
    """Where a file of a title lies in the store."""
    return f"titles/{title_id}/{path}"


async def project(store: ObjectStore, title: Title) -> None:
    """Make the entry manifests what the title's row says."""
    hls_key, dash_key = title_key(title.id, ENTRY_HLS), title_key(title.id, ENTRY_DASH)
    if title.current is None:
        await store.delete(hls_key)
        await store.delete(dash_key)
        return
    package = f"packages/{title.current}"
    hls = await store.read(title_key(title.id, f"{package}/{HLS}"))
    dash = await store.read(title_key(title.id, f"{package}/{DASH}"))
    for key, text in zip(
        (hls_key, dash_key),
        entry_manifests(title.current, hls.decode(), dash.decode()),
        strict=True,
    ):
        if await store.size(key) != len(text.encode()) or await store.read(key) != text.encode():
            media_type = MEDIA_TYPES[PurePath(key).suffix]
            await store.write(key, text.encode(), media_type=media_type, changes=True)


async def show(
    store: ObjectStore, packages: Packages, title_id: str, package_id: str, cause: str | None = None
) -> Title:
    """Put a package on screen; ``cause`` is the id of the event that led to it."""
    title = packages.point(title_id, package_id, cause)
    await project(store, title)
    return title


async def hide(
    store: ObjectStore, packages: Packages, title_id: str, cause: str | None = None
) -> Title:
    """Take a title off the screen; its packages stay."""
    title = packages.point(title_id, None, cause)
    await project(store, title)
    return title


async def delete(
    store: ObjectStore, packages: Packages, title_id: str, removes_at: datetime,
    cause: str | None = None,
) -> Title:  # fmt: skip
    """Take a title off the screen; from ``removes_at`` on it may be removed for good."""
    title = packages.delete(title_id, removes_at, cause)
    await project(store, title)
    return title


async def undelete(
    store: ObjectStore, packages: Packages, title_id: str, cause: str | None = None
) -> Title:
    """Bring a deleted title back, on screen where it was."""
    title = packages.undelete(title_id, cause)
    await project(store, title)
    return title


async def roll_back(store: ObjectStore, packages: Packages, title: Title) -> Title:
    """Put the package before the current one on screen again.

    Raises:
        NotFound: there was none before. KeysOutdated: its keys were replaced.
    """
    before = packages.previous(title.id)
    if before is None:
        raise NotFound(f"no package of {title.id} was on screen before the current one")
    check_generation(packages, title.id, before)
    return await show(store, packages, title.id, before)


def check_generation(packages: Packages, title_id: str, package_id: str) -> None:
    """Whether a package has the title's newest keys, or none at all.

    Raises:
        KeysOutdated: it has not.
    """
    package = packages.get(title_id, package_id)
    if has_old_keys(package, packages.of_title(title_id)):
        raise KeysOutdated(f"the keys of package {package_id} of {title_id} were replaced")
