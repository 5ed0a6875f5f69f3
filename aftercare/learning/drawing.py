"""The random audit: which cases a person is to look at, drawn by hash of their id."""

from __future__ import annotations

import hashlib

AUDIT_SHARE = 0.05  # of all cases, unless a deployment sets another
_ALL = 1 << 64


def drawn_for_audit(case_id: str, share: float) -> bool:
    """Whether a case is among this share of all cases: by its id alone, so the same whenever it is asked.

    The hash is of the audit's own: it tells nothing of any other draw by the same id. A larger share draws every case
    that a smaller one does.
    """
    drawn = hashlib.sha256(f"audit/{case_id}".encode()).digest()
    return int.from_bytes(drawn[:8], "big") < share * _ALL
