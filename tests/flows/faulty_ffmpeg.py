"""A faulty ffmpeg: runs the real one with a command line that was tampered with.

The tests put it in ffmpeg's place by ``MATINEE_FFMPEG``; ``MATINEE_FAULT`` names the fault.
"""

import os
import re
import signal
import sys
import time
from pathlib import Path

import imageio_ffmpeg

LATE = "asetpts=PTS-("
OTHER_CRF = {"finer": 26, "coarser": 45}
"""Versions of an encoder that make other bytes of the same settings, good ones and bad ones."""


def tampered(arguments: list[str], fault: str) -> list[str]:  # noqa: C901, PLR0912  # one fault each
    """The command line with the fault in it, where it applies."""
    line = "\0".join(arguments)
    encodes, scores = "libx264" in line, "libvmaf" in line
    first_chunk = "clip-0000000" in line
    low = any(float(word) > 30 for word in re.findall("-crf\0([0-9.]+)", line))
    if fault == "drop" and encodes:
        line = line.replace("setpts=N", "select='not(eq(n,30))',setpts=N")
    elif encodes and (fault == "double" or (fault == "double where CRFs are high" and low)):
        # Frame 30 is shown twice and frame 60 is left out: the count is right.
        line = line.replace(
            "setpts=N", "setpts=N,loop=loop=1:size=1:start=30,select='not(eq(n,61))',setpts=N"
        )
    elif fault == "foreign" and encodes and not first_chunk:
        line = line.replace("setpts=N", "setpts=N,reverse,setpts=N")
    elif fault == "parameters" and encodes and not first_chunk:
        line = line.replace("ref=1", "ref=3")
    elif fault == "late sound" and LATE in line:
        line = line.replace(")/TB", ")/TB+0.08/TB", 1)
    elif fault == "shifted scores" and scores:
        line = line.replace(
            "setpts=N,setparams", "setpts=N,tpad=start=1,trim=end_frame=60,setparams"
        )
    elif fault in OTHER_CRF and encodes:
        line = line.replace("-crf\x0030", f"-crf\0{OTHER_CRF[fault]}")
    elif fault == "no second sample" and "n_subsample" in line and not first_chunk:
        line = line.replace("libvmaf", "libnone")
    elif fault == "no vp9":
        line = line.replace("libvpx-vp9", "libvpx-none")
    elif fault == "crash" and encodes:
        os.kill(os.getpid(), 11)
    elif fault == "hang" and encodes:
        signal.pause()
    elif fault == "repeat" and encodes:
        while True:
            print("frame=1\nprogress=continue", flush=True)
            time.sleep(0.1)
    elif fault == "eat memory" and encodes:
        print(len(bytearray(1 << 40)))
    elif fault == "eat the disk" and encodes:
        fill_the_disk()
    return line.split("\0")


def fill_the_disk() -> None:
    """Write more than any limit that a test sets."""
    with Path("heap").open("wb") as heap:
        while True:
            heap.write(bytes(1 << 20))


if __name__ == "__main__":
    # Not asked for: imageio would start a process, and a tool may not.
    ffmpeg = str(next(Path(imageio_ffmpeg.__file__).parent.glob("binaries/ffmpeg-*")))
    os.execv(ffmpeg, [ffmpeg, *tampered(sys.argv[1:], os.environ["MATINEE_FAULT"])])
