"""What the parameter sets of H.264 promise of a film's pictures (ITU-T H.264, 7.3.2.1.1)."""

WITH_CHROMA = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
"""Values of profile_idc whose sets tell of chroma, bit depths and scaling lists."""

LONGEST_NUMBER = 32
"""Zeros before an Exp-Golomb code of any number that the standard allows."""

READ = 1024
"""Bytes of a parameter set that are looked at: no honest one needs as many up to the flag."""


def frames_are_whole(configuration: bytes) -> bool:
    """Whether no picture can have fields: ``frame_mbs_only_flag`` of every parameter set is 1.

    Args:
        configuration: An AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1). Of anything
            else, and of one that is not sound, nothing is promised.
    """
    try:
        sets = _sequence_sets(configuration)
        return bool(sets) and all(_frame_mbs_only(unit) for unit in sets)
    except (IndexError, ValueError):
        return False


def _sequence_sets(record: bytes) -> list[bytes]:
    if record[0] != 1:
        raise ValueError("no AVCDecoderConfigurationRecord")
    sets, place = [], 6
    for _ in range(record[5] & 0x1F):
        end = place + 2 + int.from_bytes(record[place : place + 2], "big")
        sets.append(record[place + 2 : end])
        place = end
    return sets


def _frame_mbs_only(unit: bytes) -> bool:
    profile = unit[1]
    bits = _Bits(unit[4:READ].replace(b"\0\0\3", b"\0\0"))
    bits.number()  # seq_parameter_set_id
    if profile in WITH_CHROMA:
        _pass_chroma(bits)
    bits.number()  # log2_max_frame_num_minus4
    order = bits.number()
    if order == 0:
        bits.number()  # log2_max_pic_order_cnt_lsb_minus4
    elif order == 1:
        bits.take(1)
        bits.number()  # offset_for_non_ref_pic, offset_for_top_to_bottom_field
        bits.number()
        for _ in range(bits.number()):
            bits.number()
    bits.number()  # max_num_ref_frames
    bits.take(1)
    bits.number()  # width and height
    bits.number()
    return bits.take(1) == 1


def _pass_chroma(bits: "_Bits") -> None:
    chroma = bits.number()
    if chroma == 3:
        bits.take(1)
    bits.number()  # bit depths
    bits.number()
    bits.take(1)
    if bits.take(1):
        for n in range(12 if chroma == 3 else 8):
            if bits.take(1):
                _pass_scaling_list(bits, 16 if n < 6 else 64)


def _pass_scaling_list(bits: "_Bits", size: int) -> None:
    """See 7.3.2.1.1.1: a list ends where the next scale would be 0."""
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


class _Bits:
    """Reads bit by bit; IndexError where there are no more."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise IndexError("the parameter set ends too soon")
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def number(self) -> int:
        """The next Exp-Golomb code (9.1)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > LONGEST_NUMBER:
                raise ValueError("no number is so long")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """The next signed one (9.1.1)."""
        code = self.number()
        return (code + 1) // 2 if code % 2 else -code // 2
