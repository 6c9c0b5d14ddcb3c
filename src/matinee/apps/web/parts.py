"""From an open library to what the web works with."""

from collections.abc import Callable
from functools import partial

from matinee.apps.web.access import Access
from matinee.apps.web.credentials import signing_key
from matinee.apps.web.library import WebServices
from matinee.apps.web.origin_files import title_files
from matinee.apps.web.sealed import SealedEvents
from matinee.apps.web.service import RuleDesk, Service, UploadDesk
from matinee.assets.asset import object_key
from matinee.wiring.keys import open_keys
from matinee.wiring.library import Library, now
from matinee.wiring.web import WebParts


def catalog_of(library: Library, parts: WebParts) -> WebServices:
    """What reading titles needs."""
    return WebServices(
        titles=library.titles,
        desk=library.desk,
        shelf=parts.shelf,
        packages=library.packages,
        read_asset=lambda digest: library.store.read(object_key(digest)),
        media=title_files(library.settings.library, library.store),
        open_keys=partial(open_keys, library.settings),
    )


def service_of(
    library: Library,
    parts: WebParts,
    access: Access,
    rules: RuleDesk,
    uploads: UploadDesk,
    wake: Callable[[], None],
) -> Service:
    """What the whole of the service's web needs.

    Args:
        library: The library that is served.
        parts: The web's own ports.
        access: What the address allows; see ``access_for``.
        rules: What people see of the rules.
        uploads: What people see of uploads.
        wake: Called after every act of a person.

    Raises:
        LibraryError: the signing key cannot be read or made.
    """
    return Service(
        catalog=catalog_of(library, parts),
        store=library.store,
        log=library.events,
        read_event=SealedEvents(library.events, library.store),
        deliveries=library.deliveries,
        runs=library.runs,
        lineage=parts.lineage,
        records=parts.records,
        findings=parts.findings,
        scrubs=parts.scrubs,
        submit=library.runs.submit,
        rules=rules,
        uploads=uploads,
        keeping=parts.keeping,
        tokens=library.tokens,
        sessions=parts.sessions,
        replies=parts.replies,
        key=signing_key(library.settings.library),
        access=access,
        now=now,
        wake=wake,
    )
