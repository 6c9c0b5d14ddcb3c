"""What lists of titles show, in one query a page."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Engine, select

from matinee.adapters.sql.database import reading
from matinee.adapters.sql.schema import packages
from matinee.ports.catalog import Title
from matinee.ports.shelf import Shelf, Shown


class SqlShelf(Shelf):
    """Reads packages without their lists of files, which are long."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def shown(self, titles: Sequence[Title]) -> Mapping[str, Shown]:
        current = {title.id: title.current for title in titles}
        query = (
            select(packages.c.title, packages.c.id, packages.c.report, packages.c.sketch)
            .where(packages.c.title.in_(current))
            .order_by(packages.c.made_at, packages.c.id)
        )
        with reading(self._engine) as connection:
            return {
                title: Shown(report, sketch)
                for title, package, report, sketch in connection.execute(query)
                if current[title] in (None, package)
            }
