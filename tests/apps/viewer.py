"""A viewer: a page in a real browser that keeps an account of what went wrong."""

import time
from collections.abc import Callable
from typing import Any

from tests.apps.cinema import TITLE

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}

_LISTEN = """() => {
  const context = new AudioContext(), analyser = context.createAnalyser();
  analyser.fftSize = 8192;
  context.createMediaElementSource(video).connect(analyser).connect(context.destination);
  window.pitch = () => {
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const loudest = bins.indexOf(Math.max(...bins));
    return bins[loudest] > -90 ? (loudest * context.sampleRate) / analyser.fftSize : 0;
  };
  return context.resume();
}"""


class Viewer:
    """A page that keeps an account of its console and of where its requests went."""

    def __init__(self, page: Any, *addresses: str) -> None:
        self.page, self.address, self._addresses = page, addresses[0], addresses
        self.complaints: list[str] = []
        self.strays: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._on_request)

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            where = message.location.get("url", "")
            self.complaints.append(f"{message.type}: {message.text} {where}".rstrip())

    def _on_request(self, request: Any) -> None:
        if not request.url.startswith((*self._addresses, "blob:", "data:")):
            self.strays.append(request.url)

    def open(self, path: str) -> Any:
        self.page.goto(self.address + path)
        return self.page

    def watch(self, query: str = "") -> Any:
        self.open(f"/watch/{TITLE}?autoplay&{query}")
        self.until("window.matinee && matinee.state().time > 0.3")
        return self.page

    def listen(self) -> None:
        """From now on the page knows ``pitch()``: the loudest tone of its sound, in hertz."""
        self.page.evaluate(_LISTEN)

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.page.evaluate("matinee.state()")
        return state

    def until(
        self, condition: str, timeout_s: float = 20, meanwhile: Callable[[], None] | None = None
    ) -> None:
        """Wait; the pages' policy forbids the driver's own way, which evaluates text."""
        deadline = time.monotonic() + timeout_s
        while not self.page.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < deadline, (condition, self.complaints)
            if meanwhile:
                meanwhile()
            self.page.wait_for_timeout(50)
