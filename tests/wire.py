"""A way to a server on which things go wrong."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

Change = Callable[[bytes], bytes]


@contextmanager
def wire(endpoint: str, up: Change, down: Change) -> Iterator[str]:
    """The address of a way to the server on which bytes are changed; ``b""`` cuts it."""
    target = ("127.0.0.1", urlsplit(endpoint).port or 0)
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, sink: socket.socket, change: Change) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if not (changed := change(data)):
                    break
                sink.sendall(changed)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def carry(client: socket.socket) -> None:
        with client, socket.create_connection(target) as behind:
            back = threading.Thread(target=pump, args=(behind, client, down), daemon=True)
            back.start()
            pump(client, behind, up)
            back.join()

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=carry, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
