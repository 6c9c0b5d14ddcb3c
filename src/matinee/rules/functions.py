"""Functions: what rules call. Any Python callable that a package registers.

A function gets a call and the parameters of the rule. What it tells and submits is kept on the call
and has its effect when the function has returned: at-least-once calls have effects once.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NotRequired, get_type_hints

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from matinee.core.errors import MatineeError, ToolError, UsageError
from matinee.core.events import TYPES, Event, EventType, Fact
from matinee.core.ids import Digest, canonical_json, digest_of_value
from matinee.ports.catalog import Package, Title
from matinee.ports.runs import Wish
from matinee.rules.faults import Fault, unknown

if TYPE_CHECKING:  # the function host does without
    from matinee.rules.reach import Reach

GROUP = "matinee.functions"
"""The entry points by which packages say what functions they have."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class FunctionsInvalid(UsageError):
    """A package's functions cannot be used."""

    code = "functions.invalid"
    advice = (
        "mend or uninstall the package; docs/guide/functions.md tells how functions are written"
    )


class GiveUp(UsageError):
    """Calling the function again would not help: its delivery is dead at once."""

    code = "function.gave_up"
    advice = "mend what it complains of, then replay the delivery, or skip it"


class FunctionFailed(ToolError):
    """A function raised an error that is none of Matinee's."""

    code = "function.failed"
    advice = "see the service's log for where in the function it happened"


class FunctionTooSlow(ToolError):
    """A function took longer than its time limit and was ended."""

    code = "function.too_slow"
    advice = "a function that needs longer says so with time_limit_s"


@dataclass
class Call:
    """One call of a plain function about one event.

    ``delivery`` is the delivery's id, ``attempt`` counts its calls from 1.
    """

    event: Event
    rule: str
    delivery: int
    attempt: int
    ask: Callable[[str, str], Any] | None = None
    facts: list[Fact] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)

    def effect_id(self, name: str = "") -> str:
        """A name for an effect of this delivery: the same at every attempt, and no other's."""
        return digest_of_value([self.event.id, self.rule, name])[:32]

    def tell(self, kind: str, subject: str, data: Mapping[str, Any] | None = None) -> None:
        """Tell a fact, caused by the event, once the function has returned."""
        told = dict(data or {})
        canonical_json(told)  # now, where the function's author sees what is no JSON
        fact_id = self.effect_id(f"fact {len(self.facts)}")
        self.facts.append(Fact(kind, subject, told, self.event.id, id=fact_id))

    def submit(
        self, flow: str, film: str, request: Mapping[str, Any], *, priority: int = 0,
        deadline: datetime | None = None,
    ) -> str:  # fmt: skip
        """Queue a run once the function has returned; gives its id, made from the delivery's."""
        run = f"{flow}-{self.effect_id(f'run {len(self.wishes)}')}"
        wish = Wish(run, flow, film, request, priority, deadline, self.event.id)
        self.wishes.append(wish)
        return run

    def title(self, name: str) -> Title:
        """The title of that id, or of that name; raises ``NotFound``."""
        title: Title = self._asked("title", name)
        return title

    def packages(self, title_id: str) -> Sequence[Package]:
        """The packages of a title, oldest first."""
        packages: Sequence[Package] = self._asked("packages", title_id)
        return packages

    def file(self, digest: Digest) -> Path:
        """A file with an asset's bytes, to be read only, while the call lasts."""
        path: Path = self._asked("file", digest)
        return path

    def _asked(self, what: str, name: str) -> Any:
        if self.ask is None:
            raise GiveUp("this call has no library to ask")
        return self.ask(what, name)


@dataclass
class AsyncCall(Call):
    """One call of an ``async`` function; ``reach`` has the ports that it may work with."""

    reach: "Reach | None" = None


Body = Callable[..., Awaitable[None] | None]


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function and what was declared of it."""

    name: str
    version: int
    body: Body
    time_limit_s: float
    cores: float
    memory: int
    tells: tuple[EventType, ...]
    parameters: TypeAdapter[dict[str, Any]]
    known: tuple[str, ...]

    @property
    def is_async(self) -> bool:
        """Whether it runs in the service's own event loop."""
        return inspect.iscoroutinefunction(self.body)

    def __call__(self, call: Call, **parameters: Any) -> Awaitable[None] | None:
        """The function itself."""
        return self.body(call, **parameters)

    def check(self, parameters: Mapping[str, Any]) -> list[Fault]:
        """What is wrong with a rule's parameters."""
        try:
            self._read(parameters)
        except ValidationError as error:
            return [self._fault(dict(each)) for each in error.errors(include_url=False)]
        except (TypeError, ValueError) as error:
            return [Fault((), f"expected values that JSON has: {error}")]
        return []

    def arguments(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """A delivery's parameters as values of the function's types.

        Raises:
            GiveUp: they are not of those types: the function is another than when the event came.
        """
        if faults := self.check(parameters):
            told = "; ".join(f"{'.'.join(map(str, f.path))}: {f.text}" for f in faults)
            raise GiveUp(f"the parameters do not fit {self.name} {self.version}: {told}")
        return self._read(parameters)

    def _read(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return self.parameters.validate_json(canonical_json(parameters), strict=True)

    def _fault(self, error: Mapping[str, Any]) -> Fault:
        path = tuple(error["loc"])
        if error["type"] == "missing":
            return Fault((), f'{self.name} needs the parameter "{path[-1]}"')
        if error["type"] == "extra_forbidden":
            return Fault(path, unknown(f"parameter of {self.name}", path[-1], self.known))
        told = str(error["msg"]).removeprefix("Input should be ")
        return Fault(path, f"expected {told}, not {error['input']!r}")


def function(
    name: str, *, version: int, time_limit_s: float = 60.0, cores: float | None = None,
    memory: int = 0, tells: Sequence[EventType] = (),
) -> Callable[[Body], Function]:  # fmt: skip
    """Make a function that rules can call.

    The first parameter is the call; the others are the rule's, each with a type.

    Raises:
        FunctionsInvalid: a bad name, limit or signature.
    """

    def wrap(body: Body) -> Function:
        if not NAME.fullmatch(name) or time_limit_s <= 0:
            raise FunctionsInvalid(
                f"{name!r} is no name of a function, or its limit is not above 0"
            )
        adapter, known = _signature(name, body)
        is_plain = not inspect.iscoroutinefunction(body)
        needed = (1.0 if is_plain else 0.0) if cores is None else cores
        return Function(
            name, version, body, time_limit_s, needed, memory, tuple(tells), adapter, known
        )

    return wrap


def _signature(name: str, body: Body) -> tuple[TypeAdapter[dict[str, Any]], tuple[str, ...]]:
    """What checks the parameters, and their names."""
    try:
        hints = get_type_hints(body, include_extras=True)
        _, *others = inspect.signature(body).parameters.values()
        fields = {}
        for parameter in others:
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise ValueError(f"*{parameter.name} cannot be checked")  # noqa: TRY301
            hint = hints[parameter.name]
            is_needed = parameter.default is parameter.empty
            fields[parameter.name] = hint if is_needed else NotRequired[hint]
        make: Any = TypedDict  # a type that only exists at run time
        kind = make("Parameters", fields)
        kind.__pydantic_config__ = ConfigDict(extra="forbid")
        return TypeAdapter(kind), tuple(fields)
    except (ValueError, TypeError, KeyError, NameError, PydanticUserError) as error:
        told = f"parameters of the function {name} cannot be checked: {error!r}"
        raise FunctionsInvalid(told, "the call first, then parameters with a type each") from error


def functions_of(where: ModuleType | Function) -> list[Function]:
    """The functions in a module, or the one."""
    if isinstance(where, Function):
        return [where]
    return [each for each in vars(where).values() if isinstance(each, Function)]


def registry(
    shipped: Iterable[Function], points: Iterable[EntryPoint] | None = None
) -> dict[str, Function]:
    """All functions by name: the shipped ones and those of installed packages.

    Raises:
        FunctionsInvalid: a package cannot be imported, has no function, or two have one name.
    """
    found = {each.name: each for each in shipped}
    for point in entry_points(group=GROUP) if points is None else points:
        try:
            brought = functions_of(point.load())
        except MatineeError:
            raise
        except Exception as error:
            told = f"the functions of {point.value} cannot be imported: {error!r}"
            raise FunctionsInvalid(told) from error
        if not brought:
            raise FunctionsInvalid(f"there is no function in {point.value}")
        for each in brought:
            if found.setdefault(each.name, each) is not each:
                raise FunctionsInvalid(
                    f"two functions are called {each.name}: one is {point.value}'s"
                )
    return found


def event_types(functions: Iterable[Function]) -> dict[str, EventType]:
    """Every type of event that is told: Matinee's own and those of functions."""
    return {**TYPES, **{kind.name: kind for each in functions for kind in each.tells}}
