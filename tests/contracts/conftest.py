"""Films for the contracts of the media tools, databases for those of ledger, catalog and log."""

import pytest
from tests.contracts.tool_work import Work, worked
from tests.databases import address, engine
from tests.films import Films, films
from tests.shared import made_once

__all__ = ["address", "engine", "film", "films"]


@pytest.fixture(scope="session")
def film(films: Films, tmp_path_factory: pytest.TempPathFactory) -> Work:
    """One film for what need not be tried with every kind."""
    return made_once(
        tmp_path_factory, "one", lambda folder: worked(films.get("mp4-h264-b-frames"), folder)
    )
