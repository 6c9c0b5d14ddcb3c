"""The process in which mutated films are tried: up to where the first chunk would be encoded.

Films go through the flow that ``matinee publish`` runs, with the real tools. Only the encoder of
pictures is another: it stops the flow. Libav runs in this very process, so that a crash of it is
seen by the parent. One line of JSON tells that a film begins, another how it ended.
"""

import argparse
import asyncio
import faulthandler
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from tests.conftest import TINY_LADDER
from tests.fuzz.bases import make_bases
from tests.fuzz.mutations import mutant

from matinee.adapters.pyav import PyavIndexer
from matinee.config import Settings
from matinee.core.errors import MatineeError
from matinee.core.progress import Silent
from matinee.flows.house import House
from matinee.flows.publish_title import publish_title
from matinee.flows.request import Request
from matinee.media.ladder import Ladder
from matinee.media.ladder_file import parse_ladder
from matinee.media.profile import profile_of
from matinee.ports.tools import Encoder, Spent
from matinee.stages.bench import Bench
from matinee.stages.chunks import Proofs
from matinee.stages.slots import Slots
from matinee.wiring.publishing import open_house

REACHED = "reached"

HANGS_S = 30
"""A film that takes so long tells where it is; the parent ends it after twice that."""


class Reached(Exception):
    """All that a scan finds was found: the film would be encoded now."""


class StoppingEncoder:
    """Works as the real one, but stops the flow when pictures are to be made."""

    def __init__(self, real: Encoder) -> None:
        self._real = real
        self._sounds = 0
        self._is_silent = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def encode(self, *_: Any) -> Spent:
        if self._sounds:
            await self._is_silent.wait()
        raise Reached

    async def encode_sound(self, *arguments: Any) -> Spent:
        self._sounds += 1
        try:
            return await self._real.encode_sound(*arguments)
        finally:
            self._sounds -= 1
            if not self._sounds:
                self._is_silent.set()


class Player:
    """Tries films, each in a scratch folder of its own."""

    def __init__(self, house: House, bench: Bench, ladder: Ladder) -> None:
        self._house, self._bench, self._ladder = house, bench, ladder

    def outcome(self, film: Path) -> dict[str, str]:
        """The code that the film ended with, and its message; a traceback where it is a defect."""
        scratch = self._bench.scratch / "film"
        scratch.mkdir()
        slots = Slots(2).of()  # slots belong to one event loop
        bench = replace(self._bench, scratch=scratch, slots=slots, tallies={})
        request = Request(
            film=film, name=None, credit=None, sidecars=(), profile=profile_of(self._ladder),
            proofs=Proofs(signed=False, scored=False),
        )  # fmt: skip
        try:
            asyncio.run(self._publish(bench, request))
        except Reached:
            return {"code": REACHED}
        except MatineeError as error:
            return {"code": error.code, "message": str(error)}
        except Exception as error:  # noqa: BLE001  # a defect, which is what is looked for
            return {"code": f"defect {type(error).__name__}", "message": traceback.format_exc()}
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return {"code": REACHED}

    async def _publish(self, bench: Bench, request: Request) -> None:
        encoder = cast("Encoder", StoppingEncoder(self._house.studio.encoder))
        studio = replace(self._house.studio, indexer=PyavIndexer(), encoder=encoder)
        await publish_title(replace(self._house, studio=studio), bench, request)


def strays(folder: Path, known: Sequence[str]) -> list[str]:
    """What lies in a folder beside what belongs there."""
    return sorted({path.name for path in folder.iterdir()} - set(known))


def play(folder: Path, seed: int, numbers: Sequence[int], files: Sequence[Path]) -> None:
    """Try mutants by their numbers, or films as they are, and tell of each."""
    bases = make_bases(folder / "bases")
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints is no answer
    home = Path(tempfile.mkdtemp(dir=folder))
    outside = home / "outside"
    outside.mkdir()
    os.chdir(outside)
    os.environ["TMPDIR"] = tempfile.tempdir = str(outside)
    ladder = parse_ladder("tiny", TINY_LADDER)
    settings = Settings(home / "library", workers=2)

    def tell(**value: Any) -> None:
        answers.write(json.dumps(value) + "\n")

    with open_house(settings, Silent(), refresh=False) as (house, bench):
        player = Player(house, bench, ladder)
        for number in numbers or range(len(files)):
            tell(film=number)
            if files:
                suffix, data = files[number].suffix, files[number].read_bytes()
            else:
                suffix, data = mutant(bases, seed, number)
            film = home / f"film{suffix}"
            film.write_bytes(data)
            started = time.monotonic()
            faulthandler.dump_traceback_later(HANGS_S)
            outcome = player.outcome(film)
            faulthandler.cancel_dump_traceback_later()
            film.unlink()
            if found := strays(outside, ()) + strays(home, ("outside", "library")):
                outcome = {"code": "defect stray file", "message": ", ".join(found)}
            tell(film=number, seconds=round(time.monotonic() - started, 3), **outcome)
    shutil.rmtree(home)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--end", type=int, default=0)
    parser.add_argument("--files", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    numbers = range(arguments.first, arguments.end)
    play(arguments.folder.absolute(), arguments.seed, numbers, arguments.files)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
