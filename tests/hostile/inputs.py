"""Makes the inputs of the table of refusals. Each function gives the file that is published."""

import os
import random
import struct
import zipfile
import zlib
from pathlib import Path

import av
from tests.conftest import run_ffmpeg
from tests.hostile.boxes import alias, box, poke, replaced, span, with_more
from tests.hostile.scene import Scene

FLIPS = 200
NANOSECONDS = bytes.fromhex("2ad7b1830f4240")
"""TimestampScale of Matroska, of a million nanoseconds."""

BOMB = 15_000
"""Width and height of a picture whose frame takes nine hundred megabytes."""


def slowed(film: bytes, scale: int = 0x0FFF40) -> bytes:
    """A Matroska film with a bad byte in its time scale: all of its times are 1.048384-fold."""
    assert film.count(NANOSECONDS) == 1
    return film.replace(NANOSECONDS, NANOSECONDS[:-3] + scale.to_bytes(3, "big"))


# Cut off and damaged


def empty(scene: Scene) -> Path:
    return scene.file("empty.mp4", b"")


def cut_off(scene: Scene, name: str, share: float = 0.6) -> Path:
    content = scene.base(name).read_bytes()
    return scene.file(f"cut-{name}", content[: int(share * len(content))])


def short_of_a_terabyte(scene: Scene) -> Path:
    """Most of 300 MB is no block on the disk; the header has a terabyte."""
    content = scene.base("film.mkv").read_bytes()
    at = content.index(bytes.fromhex("18538067")) + 4
    head = content[:at] + (1 << 56 | 1 << 40).to_bytes(8, "big") + content[at + 8 :]
    return sparse(scene, "short.mkv", head, 300 << 20)


def flipped_index(scene: Scene) -> Path:
    content = bytearray(scene.base("film.mp4").read_bytes())
    start, end = span(bytes(content), b"moov")
    for place in range(start + 4, end, 7):
        content[place] ^= 0x55
    return scene.file("flipped-index.mp4", bytes(content))


def flipped_packets(scene: Scene, kind: str) -> Path:
    """``FLIPS`` bits are wrong, all within packets of one kind of track."""
    film = scene.base("film.mp4")
    content, chance = bytearray(film.read_bytes()), random.Random(3)
    with av.open(str(film)) as container:
        stream = container.streams.video[0] if kind == "video" else container.streams.audio[0]
        spans = [(p.pos, p.size) for p in container.demux(stream) if p.size and p.pos is not None]
    for _ in range(FLIPS):
        position, size = chance.choice(spans)
        content[position + chance.randrange(size)] ^= 1 << chance.randrange(8)
    return scene.file(f"flipped-{kind}.mp4", bytes(content))


def damaged_clock(scene: Scene) -> Path:
    """Its time scale (TimestampScale, RFC 9559, 5.1.2.9) has a bad byte."""
    content = scene.base("film.mkv").read_bytes()
    return scene.file("damaged-clock.mkv", slowed(content))


def no_frames(scene: Scene) -> Path:
    content = scene.base("fragments.mp4").read_bytes()
    return scene.file("no-frames.mp4", content[: span(content, b"moov")[1]])


def no_key_frames(scene: Scene) -> Path:
    path = scene.folder / "no-key-frames.mkv"
    run_ffmpeg(
        "-i", scene.base("film.mp4"), "-map", "0:v", "-c", "copy", "-bsf:v", "noise=drop=key", path
    )
    return path


# No film at all


def text(scene: Scene) -> Path:
    return scene.file("notes.mp4", "not a film\n" * 1000)


def photo(scene: Scene) -> Path:
    path = scene.folder / "photo.jpg"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=s=640x480", "-frames:v", "1", path)
    return path


def archive(scene: Scene) -> Path:
    path = scene.folder / "film.zip"
    with zipfile.ZipFile(path, "w") as target:
        target.write(scene.base("film.mp4"), "film.mp4")
    return path


def pdf(scene: Scene) -> Path:
    return scene.file("film.pdf", b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n" * 50)


def sound_alone(scene: Scene) -> Path:
    path = scene.folder / "sound.mp4"
    run_ffmpeg("-i", scene.base("film.mp4"), "-map", "0:a", "-c", "copy", path)
    return path


def sparse(scene: Scene, name: str, head: bytes, size_bytes: int) -> Path:
    """A file of a few blocks that says it is as long as a disk."""
    path = scene.file(name, head)
    with path.open("r+b") as file:
        file.truncate(size_bytes)
    return path


# What a film claims


def long_mdat(scene: Scene) -> Path:
    content = scene.base("film.mp4").read_bytes()
    start, _ = span(content, b"mdat")
    head = struct.pack(">I4sQ", 1, b"mdat", 1 << 62)
    return scene.file("long-mdat.mp4", content[:start] + head + content[start + 16 :])


def slow_clock(scene: Scene) -> Path:
    """72 frames that last two billion ticks each: 145 days, by the index."""
    content = scene.base("film.mp4").read_bytes()
    start, end = span(content, b"stts")
    entries = b"".join([content[start + 16 : start + 20], struct.pack(">I", 0x7FFFFFFF)])
    assert end - start == 24, "one entry: a constant rate"
    return scene.file("slow-clock.mp4", poke(content, b"stts", 16, entries))


def many_tracks(scene: Scene, count: int = 3000) -> Path:
    content = scene.base("film.mp4").read_bytes()
    start, end = span(content, b"trak", 1)
    return scene.file("tracks.mp4", with_more(content, b"moov", content[start:end] * count))


def many_samples(scene: Scene, count: int = 100_000_000) -> Path:
    """A table of constant sizes: a few bytes say that there are millions of frames."""
    content = scene.base("film.mp4").read_bytes()
    stsc = box(b"stsc", struct.pack(">IIIII", 0, 1, 1, count, 1))
    stsz = box(b"stsz", struct.pack(">III", 0, 1, count))
    stts = box(b"stts", struct.pack(">IIII", 0, 1, count, 512))
    for kind, new in ((b"stsc", stsc), (b"stsz", stsz), (b"stts", stts)):
        content = replaced(content, kind, new)
    return scene.file("samples.mp4", content)


def large_pixels(scene: Scene) -> Path:
    """The container claims 65,535 pixels each way; the pictures are small."""
    content = scene.base("film.mp4").read_bytes()
    size = struct.pack(">HH", 0xFFFF, 0xFFFF)
    start, _ = span(content, b"stsd")
    place = content.index(b"avc1", start) + 28
    return scene.file("pixels.mp4", content[:place] + size + content[place + 4 :])


def picture_bomb(scene: Scene) -> Path:
    """A few hundred kilobytes that decode to a frame of nine hundred megabytes."""
    rows, packer = bytes(BOMB * 4 + 1), zlib.compressobj(1)
    body = b"".join(packer.compress(rows) for _ in range(BOMB)) + packer.flush()
    head = struct.pack(">IIBBBBB", BOMB, BOMB, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(name + part))
        for name, part in chunks
    )
    path = scene.folder / "bomb.mov"
    with av.open(str(path), "w", format="mov") as target:
        stream = target.add_stream("png", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "rgba"
        packet = av.Packet(png)
        packet.stream, packet.pts, packet.dts, packet.is_keyframe = stream, 0, 0, True
        target.mux(packet)
    return path


# What names other files and addresses


def playlist(scene: Scene, name: str) -> Path:
    bait = scene.canary.url if "address" in name else scene.canary.path
    return scene.file(
        name, f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{bait}\n#EXT-X-ENDLIST\n"
    )


def concat_script(scene: Scene) -> Path:
    return scene.file("film.ffconcat", f"ffconcat version 1.0\nfile '{scene.canary.path}'\n")


def session(scene: Scene) -> Path:
    port = scene.canary.url.split(":")[2].split("/")[0]
    return scene.file(
        "film.sdp",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=film\nc=IN IP4 127.0.0.1\nt=0 0\n"
        f"m=video {port} TCP/RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    )


def manifest(scene: Scene) -> Path:
    return scene.file(
        "film.mpd",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT3S" profiles="urn:mpeg:dash:profile:isoff-main:2011"><Period>'
        '<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="9">'
        f"<BaseURL>{scene.canary.url}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    )


def drawing(scene: Scene) -> Path:
    return scene.file(
        "film.svg",
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f'<image xlink:href="file://{scene.canary.path}"/><image xlink:href="{scene.canary.url}"/>'
        "</svg>",
    )


def referring_movie(scene: Scene) -> Path:
    """The packets of its tracks are said to lie in another file, and at an address."""
    content = scene.base("film.mov").read_bytes()
    url = box(b"url ", bytes(4) + scene.canary.url.encode() + b"\0")
    dref = box(b"dref", struct.pack(">II", 0, 2) + alias(str(scene.canary.path)) + url)
    return scene.file("refers.mov", replaced(content, b"dref", dref))


def subtitles(scene: Scene, name: str) -> Path:
    """Subtitle files that name the bait, by their name."""
    bait = f"file://{scene.canary.path}"
    texts = {
        "address.srt": "1\n00:00:00,500 --> 00:00:02,000\n"
        f'<img src="{scene.canary.url}"> <a href="{bait}">{scene.canary.url}</a>\n',
        "playlist.srt": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{bait}\n#EXT-X-ENDLIST\n",
        "script.ass": f"ffconcat version 1.0\nfile '{scene.canary.path}'\n",
        "film.idx": f"# VobSub index file, v7\nsize: 720x576\nid: en, index: 0\n# {bait}\n",
        "entity.ttml": f'<!DOCTYPE tt [<!ENTITY x SYSTEM "{bait}">]>'
        '<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="0s" end="2s">&x;</p></div>'
        "</body></tt>",
    }
    return scene.file(name, texts[name])


def pipe(scene: Scene) -> Path:
    path = scene.folder / "pipe.mp4"
    os.mkfifo(path)
    return path
