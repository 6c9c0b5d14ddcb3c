"""Filter graphs that show a clip's frames as a viewer should see them. All pure."""

from fractions import Fraction

from matinee.media.colour import Hdr
from matinee.media.ladder import Rung
from matinee.media.source import Picture
from matinee.ports.tools import Clip

NO_MATRIX = "sidedata=mode=delete:type=DISPLAYMATRIX"
"""ffmpeg writes what the film says of turning to its first output, though it is turned already."""

NOTHING_BESIDE = "sidedata=mode=delete"
"""Frames without what decoders tell beside them."""

TURNS = {
    (90, False): "transpose=cclock", (180, False): "hflip,vflip", (270, False): "transpose=clock",
    (0, True): "vflip", (90, True): "transpose=clock_flip", (180, True): "hflip",
    (270, True): "transpose=cclock_flip",
}  # fmt: skip
"""By the display matrix: degrees counter-clockwise, mirrored or not."""

PICTURES = {
    "interlaced": "bwdif=mode=send_field:parity=auto:deint=all",
    "telecine": "fieldmatch=combmatch=full,bwdif=mode=send_frame:deint=interlaced,decimate",
}
"""What makes pictures of fields: two of each frame, or four of film from five of pulldown."""


def wanted(clip: Clip, rate: Fraction) -> str:
    """Exactly the clip's frames, numbered from 0 on a clock that ticks once a frame."""
    plan = clip.plan
    begin, end = plan.surplus, plan.surplus + len(plan.frames)
    first = f"start_frame={begin}:" if begin else ""
    steps = [f"trim=start={float(clip.skip_s):.6f}"]
    if plan.fields != "progressive":
        steps.append(PICTURES[plan.fields])
    if plan.slots is not None:
        # Times are places of the grid, rounded to milliseconds: back to places, then fill them.
        steps += [
            f"setpts=floor(T*{rate}+0.25)/({rate})/TB", f"settb=1/({rate})", f"fps={rate}",
            f"tpad=stop_mode=clone:stop={len(plan.frames)}",
        ]  # fmt: skip
    clock = f"settb={rate.denominator}/{rate.numerator},setpts=N"
    return ",".join([*steps, f"trim={first}end_frame={end}", clock])


def upright(picture: Picture, *, keep_range: bool = False) -> str:
    """As shown: cropped, turned, in limited range, of standard dynamic range, all colours tagged.

    A high dynamic range keeps its darker half as it is, with diffuse white at 203 cd/m2 (ITU-R
    BT.2408); what is brighter, up to 1000 cd/m2, is bent below white by a Moebius curve.

    With ``keep_range`` it stays as it is; what else frames carry of it goes, for encoders are told
    it themselves, alike for all chunks.
    """
    steps = []
    if picture.crop:
        crop = picture.crop
        steps.append(f"crop={crop.width}:{crop.height}:{crop.left}:{crop.top}")
    turn = TURNS.get((picture.rotation, picture.is_mirrored))
    steps += [turn, NO_MATRIX] if turn else []
    if picture.hdr and keep_range:
        return ",".join([*steps, *_kept(picture.hdr, full_range=picture.colour.full_range)])
    if picture.is_hdr:
        colour = picture.colour
        primaries, matrix = colour.primaries or "bt2020", colour.matrix or "bt2020nc"
        tags = _tags(primaries, str(colour.transfer), matrix, full_range=colour.full_range)
        return ",".join([*steps, tags, TO_STANDARD])
    if picture.is_rgb:
        steps.append("scale=out_color_matrix=bt709:out_range=tv,format=yuv444p")
    elif picture.colour.full_range:
        steps.append("scale=in_range=pc:out_range=tv")
    return ",".join([*steps, _tags(*colour_tags(picture), full_range=False)])


TO_STANDARD = (
    "zscale=transfer=linear:npl=203,format=gbrpf32le,zscale=primaries=bt709,"
    "tonemap=tonemap=mobius:param=0.3:peak=4.926:desat=0,"
    "zscale=transfer=bt709:matrix=bt709:range=tv,format=yuv420p"
)
"""Tone mapping of frames whose colours are tagged."""


def _kept(hdr: Hdr, *, full_range: bool) -> list[str]:
    limited = ["scale=in_range=pc:out_range=tv"] if full_range else []
    return [*limited, _tags(hdr.primaries, hdr.transfer, hdr.matrix), NOTHING_BESIDE]


def _tags(primaries: str, transfer: str, matrix: str, *, full_range: bool = False) -> str:
    """The colours of frames, whatever they said of them."""
    return (
        f"setparams=range={'pc' if full_range else 'tv'}:color_primaries={primaries}:"
        f"color_trc={transfer}:colorspace={matrix}"
    )


def as_film(rung: Rung) -> str:
    """What brings a rung's decoded frames to what the film is seen as, with a comma behind."""
    if rung.hdr is None:
        return ""
    return f"{_tags(rung.hdr.primaries, rung.hdr.transfer, rung.hdr.matrix)},{TO_STANDARD},"


def colour_tags(picture: Picture) -> tuple[str, str, str]:
    """Primaries, transfer and matrix by ffmpeg's names; what the source leaves open by its size.

    Players take untagged small pictures for BT.601 and large ones for BT.709, so an untagged film
    would change its colours from rung to rung.
    """
    if picture.is_hdr or picture.is_rgb:
        return "bt709", "bt709", "bt709"
    small = "smpte170m" if picture.height <= 480 else "bt470bg"
    assumed = "bt709" if picture.height >= 720 else small
    colour = picture.colour
    transfer = assumed if assumed == "bt709" else "smpte170m"
    return (
        colour.primaries or assumed,
        colour.transfer or transfer,
        colour.matrix or assumed,
    )
