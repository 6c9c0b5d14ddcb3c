"""What a run of publish may be asked for."""

from typing import Any

import pytest

from matinee.flows.publish_run import RunInvalid, check_request, profile_wished

PLACE = {"place": "/films/a.mkv"}


@pytest.mark.parametrize("target", [93, 93.5])
def test_a_target_is_any_number_of_the_scale(target: float) -> None:
    assert profile_wished(check_request({**PLACE, "target_vmaf": target}))[2] == target


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"target_vmaf": 101}, "from 20 to 99, not 101"),
        ({"target_vmaf": True}, "target_vmaf is to be a float, not True"),
        ({"scores": 1}, "scores is to be a bool, not 1"),
        ({"redo": "nothing"}, "there is no stage 'nothing'"),
        ({"colour": "red"}, "no field 'colour'"),
    ],
)
def test_what_has_no_meaning_is_named(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(RunInvalid, match=told):
        check_request({**PLACE, **asked})


def test_a_run_needs_a_film() -> None:
    with pytest.raises(RunInvalid, match="place"):
        check_request({"target_vmaf": 93})
