"""Takes personal data out of what is learned from: known values of the case first, then patterns, then a model. Pure.

    redactor = redactor_of()                                # with the model of the extra `pii`, where it is installed
    known = Known.of(case, steps)
    redactor.redacted({"heard": "I am Ann, ann@example.org"}, known)    # {"heard": "I am [name], [email]"}

`redactor.mode` says how thoroughly: "patterns only", or "patterns and names". What is found and what is missed is
measured in docs/redaction.md.
"""

from aftercare.redaction.kinds import Kind
from aftercare.redaction.known import Known
from aftercare.redaction.redactor import NOBODY, PATTERNS_AND_NAMES, PATTERNS_ONLY, Redactor, redactor_of

__all__ = ["NOBODY", "PATTERNS_AND_NAMES", "PATTERNS_ONLY", "Kind", "Known", "Redactor", "redactor_of"]
