"""The video codecs that Matinee makes. A new one is a module like these and a line here."""

from collections.abc import Mapping

from matinee.media.codecs.av1 import AV1
from matinee.media.codecs.codec import Codec
from matinee.media.codecs.h264 import H264
from matinee.media.codecs.hevc import HEVC
from matinee.media.codecs.vp9 import VP9

CODECS: Mapping[str, Codec] = {codec.name: codec for codec in (H264, HEVC, VP9, AV1)}
"""By the names that ladders and ffmpeg give them."""

BY_ENTRY: Mapping[str, Codec] = {
    entry: codec for codec in CODECS.values() for entry in codec.entries
}
"""By sample entry."""
