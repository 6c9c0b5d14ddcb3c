import pytest

from matinee.assets.backup_policy import BackupPolicyInvalid, Policy, read_policies
from matinee.assets.retention import Retention
from matinee.assets.worth import Worth

WHOLE = """
[[backup]]
to = "/mnt/backup"

[[backup]]
to = "s3://vault/films"
recipients = ["age1example"]
published = "price"
made = "none"
seconds_per_gib = 600
age_days = 2
keep = { last = 3, daily = 7, weekly = 5, monthly = 12 }
"""


def test_each_place_has_its_own_policy() -> None:
    near, far = read_policies(WHOLE)

    assert near == Policy("/mnt/backup", Worth())
    assert far.worth.made == "none"
    assert far.worth.age.days == 2
    assert far.recipients == ("age1example",)
    assert far.keep == Retention(3, 7, 5, 12)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[backup]\n", "line 1"),
        ("[backup]\nto = '/a'", r"\[\[backup\]\]"),
        ("[[backup]]\nmade = 'all'", "to"),
        ("[[backup]]\nto = '/a'\nfrom = '/b'", "'from'"),
        ("[[backup]]\nto = '/a'\nmade = 'some'", "all, price, none"),
        ("[[backup]]\nto = '/a'\nseconds_per_gib = -1", "seconds_per_gib"),
        ("[[backup]]\nto = '/a'\nkeep = { hourly = 1 }", "'hourly'"),
        ("[[backup]]\nto = '/a'\nkeep = { last = true }", "keep.last"),
        ("[[backup]]\nto = '/a'\nrecipients = 'age1'", "recipients"),
        ("[keep]\nlast = 1", "'keep'"),
    ],
)
def test_a_fault_is_named(text: str, told: str) -> None:
    with pytest.raises(BackupPolicyInvalid, match=told):
        read_policies(text)
