"""How a package is laid out, what the packager is told, and what is mended after it.

- Segments lie in ``renditions/<folder>/``, manifests in ``packages/<id>/``, both below the title.
- Sound comes in groups: ``audio`` holds every language as every device plays it, ``surround`` every
  language in its widest layout, so that no choice of quality loses a language. Every other codec of
  sound has such groups of its own.
- Pictures of one codec, depth and profile are a family: players switch inside it.
"""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from matinee.media import dash_edits, hls_edits
from matinee.media.bit_rates import BitRate, measured
from matinee.media.chapters import chapters_webvtt
from matinee.media.dash_edits import Roles
from matinee.media.encryption import Keyring, key_line
from matinee.media.hls import (
    Multivariant,
    Variant,
    read_media,
    read_multivariant,
    write_multivariant,
)
from matinee.media.hls_attributes import decimal_text
from matinee.media.hls_edits import MediaSettings, Thumbnails
from matinee.media.purposes import Purpose
from matinee.media.sound import group_of
from matinee.media.streams import FIRST, IMSC1, TO_RENDITIONS, PackagePlan, Stream
from matinee.media.tracks import Labels

HLS, DASH = "main.m3u8", "manifest.mpd"
THUMBNAILS = "thumbnails.m3u8"
CHAPTERS = "chapters.vtt"


def descriptors(plan: PackagePlan, files: Mapping[str, str]) -> list[dict[str, str]]:
    """What the packager is told, a stream each; ``files`` gives each stream's input by name.

    Subtitles are segmented WebVTT in HLS and ``wvtt`` in DASH, which every player reads, and where
    that is planned IMSC1 in DASH: with the packager's documents, which ours replace. The
    smallest picture serves as trick mode. Sound and text are labelled with their own names until
    ``finish``: the packager takes tracks of one language and one label for one adaptation set.
    """
    told: list[dict[str, str]] = []
    for stream in plan.streams:
        common = {"in": files[stream.name], "stream": stream.kind, **_lock_field(stream, plan)}
        segments = {"segment_template": f"{stream.address}/$Number%05d$.m4s"}
        if stream.kind == "text":
            told += _text_descriptors(stream, common)
            continue
        told.append(
            {
                **common,
                "init_segment": stream.init,
                **segments,
                "playlist_name": stream.playlist,
                **_kind_fields(stream),
            }
        )
    if plan.segments == 1:
        return told  # the packager makes no trick mode of one picture
    smallest = plan.of_kind("video")[0]
    trick = trick_address(plan)
    told.append(
        {
            "in": files[smallest.name],
            "stream": "video",
            "init_segment": f"{trick}/init.mp4",
            "segment_template": f"{trick}/$Number%05d$.m4s",
            "trick_play_factor": "1",
            "dash_only": "1",
            **_dash_label(smallest),
            **_lock_field(smallest, plan),
        }
    )
    return told


def _lock_field(stream: Stream, plan: PackagePlan) -> dict[str, str]:
    """Every stream has a label of its own, and so a vector of its own under the same key."""
    if not plan.is_encrypted:
        return {}
    return {"drm_label": stream.name} if stream.lock else {"skip_encryption": "1"}


def secrets_of(plan: PackagePlan, keyring: Keyring) -> dict[str, tuple[str, bytes, str]]:
    """Key id, key and first vector of every label that is encrypted.

    The trick mode for DASH has samples of the smallest picture, encrypted once: one of the two
    labels would decide for both.
    """
    found = {}
    for stream in plan.streams:
        if stream.lock is not None:
            key = keyring.key(stream.lock.key_id)
            iv = keyring.iv(stream.lock, stream.folder)
            found[stream.name] = (stream.lock.key_id, key, iv)
    return found


def _kind_fields(stream: Stream) -> dict[str, str]:
    if stream.kind == "video":
        return {"iframe_playlist_name": f"{stream.name}-iframes.m3u8", **_dash_label(stream)}
    assert stream.labels is not None
    return {
        "hls_group_id": stream.group,
        "hls_name": stream.labels.name,
        "dash_label": stream.name,
        **_language(stream.labels),
        "dash_roles": "main" if stream.labels.is_default else "alternate",
    }


def _dash_label(video: Stream) -> dict[str, str]:
    """The packager takes pictures of one codec for one set, unless labels tell them apart.

    Trick mode needs the label of the set that it belongs to.
    """
    return {"dash_label": video.coding} if video.family else {}


def _language(labels: Labels) -> dict[str, str]:
    """The packager refuses ``und``: an unknown language is not named."""
    return {} if labels.language == "und" else {"lang": labels.language}


def _text_descriptors(stream: Stream, common: Mapping[str, str]) -> list[dict[str, str]]:
    assert stream.labels is not None
    language = _language(stream.labels)
    forced = {"forced_subtitle": "1"} if stream.labels.is_forced else {}
    if stream.family == IMSC1:
        return [
            {
                **common,
                "format": "ttml+mp4",
                "init_segment": stream.init,
                "segment_template": f"{stream.address}/$Number%05d$.m4s",
                "playlist_name": stream.playlist,
                "hls_group_id": "text",
                "hls_name": stream.labels.name,
                "dash_label": stream.name,
                **language,
                **forced,
            }
        ]
    return [
        {
            **common,
            "format": "webvtt",
            "segment_template": f"{stream.address}/$Number%05d$.vtt",
            "playlist_name": stream.playlist,
            "hls_group_id": "text",
            "hls_name": stream.labels.name,
            "hls_only": "1",
            **language,
            **forced,
        },
        {
            **common,
            "format": "mp4",
            "init_segment": stream.dash_init,
            "segment_template": f"{TO_RENDITIONS}/{stream.dash_folder}/$Number%05d$.m4s",
            "dash_label": stream.name,
            "dash_only": "1",
            **language,
            **forced,
        },
    ]


def finish(
    plan: PackagePlan, manifests: Mapping[str, str], sizes: Mapping[str, int]
) -> dict[str, str]:
    """The manifests as they are published, by file name.

    Args:
        plan: What the package holds.
        manifests: The packager's manifests by file name.
        sizes: Bytes of every segment by its address from a manifest.
    """
    finished = {name: hls_edits.normalise(text) for name, text in manifests.items() if name != DASH}
    for stream in plan.streams:
        for name in (stream.playlist, f"{stream.name}-iframes.m3u8"):
            if stream.lock and name in finished:
                finished[name] = hls_edits.with_key(finished[name], key_line(stream.lock))
    rates: dict[str, BitRate] = {}
    for name in finished.keys() - {HLS}:
        rates[name] = hls_edits.bit_rate_of(read_media(finished[name]), sizes)
    sheets, sheet_rate = _sheets(plan)
    if plan.chapters:
        finished[CHAPTERS] = chapters_webvtt(plan.chapters)
    finished[THUMBNAILS] = hls_edits.image_playlist(sheets)
    playlist = _without_imsc1(read_multivariant(finished[HLS]), plan)
    playlist = _paired(_in_groups(playlist, plan), plan)
    playlist = hls_edits.with_media(playlist, _settings(plan))
    playlist = hls_edits.with_bit_rates(playlist, rates)
    playlist = hls_edits.with_video_ranges(playlist, _video_ranges(plan))
    playlist = hls_edits.with_images(playlist, THUMBNAILS, sheets, sheet_rate)
    finished[HLS] = write_multivariant(playlist)
    finished[DASH] = dash_edits.normalise(
        manifests[DASH],
        rates={s.init: rates[s.playlist] for s in plan.streams if s.playlist in rates}
        | _trick_rate(plan, finished, sizes),
        labels=_labels(plan),
        roles=_roles(plan),
        colours={s.init: s.hdr.colours for s in plan.of_kind("video") if s.hdr},
        images=[(sheets, f"{TO_RENDITIONS}/{plan.sheets.folder}/$Number%05d$.jpg", sheet_rate)],
    )
    return finished


def _video_ranges(plan: PackagePlan) -> dict[str, str]:
    """VIDEO-RANGE by playlist, of I-frames too; nothing where no range but the standard one is."""
    if not any(stream.hdr for stream in plan.streams):
        return {}
    return {
        playlist: stream.hdr.video_range if stream.hdr else "SDR"
        for stream in plan.of_kind("video")
        for playlist in (stream.playlist, f"{stream.name}-iframes.m3u8")
    }


def trick_address(plan: PackagePlan) -> str:
    """The folder of the trick mode for DASH, from a manifest."""
    return f"{plan.of_kind('video')[0].address}-trick"


def _trick_rate(
    plan: PackagePlan, finished: Mapping[str, str], sizes: Mapping[str, int]
) -> dict[str, BitRate]:
    """The trick mode's bit rate: a picture of it stands for a segment of the smallest rendition."""
    playlist = read_media(finished[plan.of_kind("video")[0].playlist])
    address = trick_address(plan)
    spans = [
        (sizes.get(f"{address}/{number:05d}.m4s", 0), segment.duration)
        for number, segment in enumerate(playlist.segments, 1)
    ]
    return {f"{address}/init.mp4": measured(spans, playlist.target_duration)}


def _sheets(plan: PackagePlan) -> tuple[Thumbnails, BitRate]:
    sheets = plan.sheets
    thumbnails = Thumbnails(
        uris=sheets.uris(),
        width=sheets.width,
        height=sheets.height,
        columns=sheets.columns,
        rows=sheets.rows,
        interval=sheets.interval,
        duration=plan.duration,
    )
    each = thumbnails.sheet_duration
    lasts = [min(each, plan.duration - n * each) for n in range(len(sheets.sizes))]
    # As their playlist tells them, for rates are measured by it.
    told = [Fraction(decimal_text(seconds)) for seconds in lasts]
    spans = list(zip(sheets.sizes, told, strict=True))
    longest = max(1, round(max(seconds for _, seconds in spans)))
    return thumbnails, measured(spans, longest)


def _settings(plan: PackagePlan) -> dict[str, MediaSettings]:
    return {
        stream.playlist: MediaSettings(
            name=stream.labels.name,
            language=None if stream.labels.language == "und" else stream.labels.language,
            channels=stream.channels or None,
            is_default=stream.labels.is_default,
            is_autoselect=is_autoselect(stream.labels),
            is_forced=stream.labels.is_forced,
            characteristics=characteristics(stream),
        )
        for stream in plan.streams
        if stream.labels is not None
    }


def is_autoselect(labels: Labels) -> bool:
    """Whether a player may choose a track by the viewer's settings, unasked.

    What is the default always may (RFC 8216 section 4.3.4.1).
    """
    return labels.is_default or not (labels.is_forced or labels.purpose == "commentary")


def characteristics(stream: Stream) -> str | None:
    """EXT-X-MEDIA's CHARACTERISTICS: media characteristic tags as Apple's players know them."""
    purpose = stream.labels.purpose if stream.labels else None
    return CHARACTERISTICS[purpose] if purpose else None


CHARACTERISTICS: dict[Purpose, str] = {
    "commentary": "public.auxiliary-content",
    "description": "public.accessibility.describes-video",
    "captions": (
        "public.accessibility.transcribes-spoken-dialog,"
        "public.accessibility.describes-music-and-sound"
    ),
    "clear speech": "public.accessibility.enhances-speech-intelligibility",
}
PURPOSES: dict[Purpose, Roles] = {
    "commentary": Roles(("commentary",)),
    "description": Roles(("description",), "1"),
    "captions": Roles(("caption",), "2"),
    "clear speech": Roles(("enhanced-audio-intelligibility",), "2"),
}
"""Roles of ISO/IEC 23009-1 clause 5.8.5.5."""


def roles(stream: Stream) -> Roles:
    """Role and Accessibility of a sound or subtitle stream's adaptation set."""
    assert stream.labels is not None
    labels = stream.labels
    if labels.purpose:
        special = PURPOSES[labels.purpose]
    elif stream.kind == "audio":
        special = Roles(() if labels.is_default else ("alternate",))
    else:
        special = Roles(() if labels.is_forced else ("subtitle",))
    forced = ("forced-subtitle",) if labels.is_forced else ()
    main = ("main",) if labels.is_default else ()
    return replace(special, roles=(*main, *forced, *special.roles))


def _roles(plan: PackagePlan) -> dict[str, Roles]:
    sounds = {stream.init: roles(stream) for stream in plan.of_kind("audio")}
    texts = {s.dash_init: roles(s) for s in plan.of_kind("text")}
    return sounds | texts


def _labels(plan: PackagePlan) -> dict[str, str]:
    texts = {
        stream.dash_init: stream.labels.name for stream in plan.of_kind("text") if stream.labels
    }
    sounds = {stream.init: stream.label for stream in plan.of_kind("audio")}
    return texts | sounds


def _in_groups(playlist: Multivariant, plan: PackagePlan) -> Multivariant:
    """A language that has no wider layout is in the group of the wider ones with what it has."""
    sounds = {stream.playlist: stream for stream in plan.of_kind("audio")}
    added = []
    for media in playlist.media:
        stream = sounds.get(media.uri or "")
        if stream is None or not is_narrow(stream):
            continue
        wide = group_of(stream.family or "aac", "surround")
        named = {s.labels.name for s in sounds.values() if s.group == wide and s.labels}
        if named and media.attributes.text("NAME") not in named:
            attributes = media.attributes.with_text("GROUP-ID", wide)
            added.append(replace(media, attributes=attributes))
    return replace(playlist, media=(*playlist.media, *added))


def is_narrow(stream: Stream) -> bool:
    """Whether a sound is the one that every device plays, of its codec."""
    return stream.group in (FIRST, stream.family)


def _without_imsc1(playlist: Multivariant, plan: PackagePlan) -> Multivariant:
    """IMSC1 is for DASH: in HLS players take all subtitles of a variant for one form, by CODECS."""
    left_out = {s.playlist for s in plan.of_kind("text") if s.family == IMSC1}
    if not left_out:
        return playlist

    def without(variant: Variant) -> Variant:
        codecs = (variant.attributes.text("CODECS") or "").split(",")
        kept = ",".join(codec for codec in codecs if not codec.startswith("stpp"))
        return replace(variant, attributes=variant.attributes.with_text("CODECS", kept))

    media = tuple(one for one in playlist.media if one.uri not in left_out)
    return replace(playlist, media=media, variants=tuple(map(without, playlist.variants)))


def _paired(playlist: Multivariant, plan: PackagePlan) -> Multivariant:
    """Only the variants whose sound is to go with their pictures."""
    pictures = {s.playlist: s.family.partition("-")[0] or "h264" for s in plan.of_kind("video")}
    wanted = {s.group: s.pictures for s in plan.of_kind("audio")}

    def is_wanted(variant: Variant) -> bool:
        allowed = wanted.get(variant.attributes.text("AUDIO") or "", ())
        return not allowed or pictures.get(variant.uri) in allowed

    return replace(playlist, variants=tuple(filter(is_wanted, playlist.variants)))


def entry_manifests(package: str, hls: str, dash: str) -> tuple[str, str]:
    """A title's entry manifests: the package's own, with addresses from the title's folder."""
    prefix = f"packages/{package}/"
    playlist = hls_edits.rebased(read_multivariant(hls), prefix)
    return write_multivariant(playlist), dash_edits.rebased(dash, prefix)
