"""How much personal data is found, and how much else is taken for it: `python -m tests.redaction.figures`.

A marked value is found when all its letters and figures are taken out as what it is: half an address is a miss. What is
taken out is right when at least half of it was marked as that. With the model the same figures are printed for it too.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from aftercare.learning.intervals import Estimate, share
from aftercare.redaction import NOBODY, Kind, Redactor, redactor_of
from aftercare.redaction.model import is_installed
from tests.redaction.labelled import Leaf, Sentence, leaves, sentences


@dataclass
class Figures:
    """What was found and what was right, by kind, and the sentences in which something went wrong."""

    marked: Counter[Kind] = field(default_factory=Counter)
    found: Counter[Kind] = field(default_factory=Counter)
    taken: Counter[Kind] = field(default_factory=Counter)
    right: Counter[Kind] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def recall(self, kind: Kind) -> Estimate:
        return share(self.found[kind], self.marked[kind])

    def precision(self, kind: Kind) -> Estimate:
        return share(self.right[kind], self.taken[kind])


def figures(redactor: Redactor, told: Sequence[Sentence], with_known: bool) -> Figures:
    """The figures of a redactor over sentences, with or without what is known of their customers."""
    counted = Figures()
    for sentence in told:
        left = redactor.redacted(sentence.said, sentence.known if with_known else NOBODY)
        for leaf in leaves(sentence, left):
            for line in _count(counted, leaf):
                counted.wrong.append(f"{sentence.id}: {line}")
    return counted


def _count(counted: Figures, leaf: Leaf) -> Iterator[str]:
    for kind in Kind:
        marked = {n for span in leaf.marked if span.kind is kind for n in _letters(leaf.text, span.start, span.end)}
        taken = {n for span in leaf.taken if span.kind is kind for n in _letters(leaf.text, span.start, span.end)}
        for start, end, _ in (span for span in leaf.marked if span.kind is kind):
            counted.marked[kind] += 1
            if _letters(leaf.text, start, end) <= taken:
                counted.found[kind] += 1
            else:
                yield f"missed {kind} {leaf.text[start:end]!r} in {leaf.text!r}"
        for start, end, _ in (span for span in leaf.taken if span.kind is kind):
            counted.taken[kind] += 1
            letters = _letters(leaf.text, start, end)
            if 2 * len(letters & marked) >= max(len(letters), 1):
                counted.right[kind] += 1
            else:
                yield f"wrongly {kind} {leaf.text[start:end]!r} in {leaf.text!r}"


def _letters(text: str, start: int, end: int) -> set[int]:
    return {n for n in range(start, end) if text[n].isalnum()}


def rows(counted: Figures) -> list[str]:
    """A line for each kind: how many are marked, how many of them were found, how many of what was taken was right."""
    return [_row(kind, counted) for kind in Kind]


def _row(kind: Kind, counted: Figures) -> str:
    def told(estimate: Estimate) -> str:
        if estimate.value is None or estimate.low is None or estimate.high is None:
            return f"{'-':>20}"
        return f"{estimate.value:.2f} ({estimate.low:.2f}-{estimate.high:.2f})".rjust(20)

    recall, precision = counted.recall(kind), counted.precision(kind)
    return f"{kind:<12}{recall.n:>5}{told(recall)}{precision.n:>8}{told(precision)}"


def main() -> None:
    """Prints the tables."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--develop", action="store_true", help="the half that was developed on, which grades nothing")
    asked.add_argument("--wrong", action="store_true", help="each sentence in which something went wrong")
    options = asked.parse_args()
    told = sentences(graded=not options.develop)
    bare = sum(not any(leaf.marked for leaf in leaves(s, s.said)) for s in told)
    print(f"{len(told)} sentences, {bare} of them with nothing of a person")
    for wants_names in (False, True) if is_installed() else (False,):
        redactor = redactor_of(wants_names)
        for with_known in (False, True):
            counted = figures(redactor, told, with_known)
            print(f"\n{redactor.mode}, {'with what is known of the customer' if with_known else 'nothing known'}")
            print(f"{'':<12}{'n':>5}{'recall':>20}{'taken':>8}{'precision':>20}")
            print("\n".join(rows(counted)))
            if options.wrong:
                print("\n".join(counted.wrong))


if __name__ == "__main__":
    main()
