"""Carries out one delivery: calls its function, then has its effects ready."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from matinee.core.errors import MatineeError
from matinee.core.events import Fact
from matinee.ports.deliveries import Delivery
from matinee.ports.runs import RunQueue
from matinee.rules.conditions import Undecided
from matinee.rules.functions import (
    AsyncCall,
    Call,
    Function,
    FunctionFailed,
    FunctionTooSlow,
    GiveUp,
)
from matinee.rules.host import FunctionHost
from matinee.rules.reach import Reach
from matinee.rules.room import Room
from matinee.rules.rulebook import RuleBook

log = logging.getLogger("matinee.rules")


@dataclass(frozen=True, slots=True)
class Performer:
    """Calls functions: ``async`` ones here, plain ones in the host, as room allows."""

    functions: Mapping[str, Function]
    reach: Reach | None
    queue: RunQueue
    host: FunctionHost
    room: Room
    now: Callable[[], datetime]

    async def perform(self, book: RuleBook, delivery: Delivery) -> Sequence[Fact]:
        """Call the delivery's function and submit its runs; gives the facts that are to be told.

        Raises:
            GiveUp: calling again would not help. Bystander: the call is to be made again.
            MatineeError: it failed.
        """
        function = self.functions.get(delivery.function)
        if function is None:
            raise GiveUp(
                f"there is no function {delivery.function} any more",
                "install its package again and restart, then replay the delivery; or skip it",
            )
        if not self._still_holds(book, delivery):
            return ()
        call = await self._called(function, delivery)
        for wish in call.wishes:
            await asyncio.to_thread(self.queue.submit, wish)
        return call.facts

    def _still_holds(self, book: RuleBook, delivery: Delivery) -> bool:
        """Whether the rule's condition holds; asked again, as routing lets the undecided pass."""
        rule = book.get(delivery.rule)
        try:
            return rule is None or rule.holds(delivery.event, self.now())
        except Undecided as error:
            raise GiveUp(
                f"the condition of {delivery.rule} cannot be decided: {error}",
                'mend the rule\'s "if" and restart, then replay the delivery; or skip it',
            ) from error

    async def _called(self, function: Function, delivery: Delivery) -> Call:
        arguments = function.arguments(delivery.parameters)
        call = AsyncCall(
            delivery.event, delivery.rule, delivery.id, delivery.attempts, reach=self.reach
        )
        async with self.room.held(function.cores, function.memory):
            if not function.is_async:
                await self.host.call(function, delivery, call)
                return call
            limit = asyncio.timeout(function.time_limit_s)
            try:
                async with limit:
                    await function(call, **arguments)  # type: ignore[misc]  # is_async says so
            except TimeoutError as error:
                if limit.expired():
                    told = f"{function.name} took longer than {function.time_limit_s:g} s"
                    raise FunctionTooSlow(told) from error
                raise FunctionFailed(f"TimeoutError: {error}") from error
            except MatineeError:
                raise
            except Exception as error:
                log.exception("the function %s failed", function.name)
                raise FunctionFailed(f"{type(error).__name__}: {error}") from error
        return call
