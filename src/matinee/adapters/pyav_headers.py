"""What the chunks of a rendition have in common, as PyAV reads it."""

from typing import Any

from matinee.media.boxes import BoxError
from matinee.media.codecs import CODECS
from matinee.media.codecs.codec import Codec
from matinee.ports.tools import JoinRefused


def codec_of(stream: Any, place: str) -> Codec:
    """The codec of a chunk, at a ``place`` that errors name.

    Raises:
        JoinRefused: it is none that Matinee makes.
    """
    name = stream.codec_context.codec.canonical_name
    if name not in CODECS:
        raise JoinRefused(f"{place} is coded as {name}, which Matinee does not make")
    return CODECS[name]


def shared_header(codec: Codec, stream: Any, first: Any, place: str) -> bytes:
    """What a chunk must have in common with all others of its rendition."""
    try:
        return codec.header(bytes(stream.codec_context.extradata or b""), bytes(first))
    except BoxError as error:
        raise JoinRefused(f"{place} cannot be read: {error}") from error


def joined_stream(target: Any, chunk: Any, codec: Codec, level: str) -> Any:
    """The stream of a joined rendition, as its chunks' is."""
    # Opaque: packets are copied, so no coder of theirs is looked for.
    joined = target.add_stream_from_template(chunk, opaque=True)
    joined.codec_context.codec_tag = codec.entries[0]
    if codec.muxed_level and level:
        joined.codec_context.level = codec.muxed_level(level)
    return joined
