"""The packager's command line, whole."""

import pytest
from tests.adapters.golden_lists import assert_golden
from tests.media.test_packaging import FILES, FULL, package

from matinee.adapters.shaka import package_command
from matinee.media.packaging import descriptors


def test_package_command_of_pictures_only() -> None:
    assert_golden("package-pictures", package_command("packager", descriptors(package(), FILES)))


def test_package_command_with_sound_and_text() -> None:
    assert_golden("package-full", package_command("packager", descriptors(FULL, FILES)))


@pytest.mark.parametrize("value", ["a,b", "a=b", "stream=video,output=/etc/passwd"])
def test_a_value_cannot_add_a_field(value: str) -> None:
    with pytest.raises(ValueError, match="no spelling"):
        package_command("packager", [{"in": "film.mp4", "hls_name": value}])
