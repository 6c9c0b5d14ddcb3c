"""Findings as JSON, on the command line and in the API."""

from typing import Any

from matinee.ports.upkeep import Finding


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding; its form is in docs/reference/json.md."""
    fault = finding.fault
    return {
        "finding": finding.id,
        "kind": fault.kind,
        "thing": fault.thing,
        "digest": fault.digest,
        "title": fault.title,
        "message": fault.words,
        "detail": dict(fault.detail),
        "state": finding.state,
        "found_at": finding.found_at.isoformat(),
        "closed_at": finding.closed_at.isoformat() if finding.closed_at else None,
        "how": finding.how,
    }
