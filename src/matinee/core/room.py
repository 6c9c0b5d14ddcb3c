"""Whether there is room for more work: decided before it is taken, not when it is half done."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Room:
    """Bounds on what is kept on one disk for one purpose, in bytes.

    ``limit`` is the most that may be kept for it, None where only the disk bounds it. ``floor`` is
    what has to stay free on the disk.
    """

    limit: int | None = None
    floor: int = 0

    def refusal(self, wanted: int, kept: int, promised: int, free: int) -> str:
        """Why there is no room for ``wanted`` more bytes; empty where there is.

        Args:
            wanted: What the new work will write.
            kept: What is kept for the purpose already.
            promised: What work that was taken before has still to write.
            free: What is free on the disk.
        """
        if self.limit is not None and kept + promised + wanted > self.limit:
            left = max(0, self.limit - kept - promised)
            return f"{shown_bytes(wanted)} are wanted, {shown_bytes(left)} are left of the limit"
        if free - promised - wanted < self.floor:
            left = max(0, free - promised - self.floor)
            return f"{shown_bytes(wanted)} are wanted, the disk has room for {shown_bytes(left)}"
        return ""


def shown_bytes(count: int) -> str:
    """A number of bytes for people: three digits and a binary unit."""
    if count < 1024:
        return f"{count} bytes"
    size = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        size /= 1024
        if size < 1000:
            return f"{size:.3g} {unit}"
    return f"{size / 1024:.3g} TiB"
