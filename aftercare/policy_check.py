"""`aftercare policy check`: is every policy book whole, and does it do what its worked examples say?"""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from policies import book as books
from policies.examples import check as check_examples


def check(folder: Path | None, console: Console) -> int:
    """Check every book of a folder; 0 where all is well."""
    where = folder or books.SHIPPED
    domains = sorted(p.parent.name for p in where.glob("*/rules.yaml"))
    if not domains:
        console.print(f"[red]{where}: there is no policy book here (a folder with a rules.yaml)[/red]")
        return 1
    return max(_check_one(domain, where, console) for domain in domains)


def _check_one(domain: str, where: Path, console: Console) -> int:
    try:
        book = books.load(domain, where)
    except books.BookInvalid as error:
        for problem in error.problems:
            console.print(f"[red]{problem}[/red]", markup=True, highlight=False)
        return 1
    failed = check_examples(book)
    for problem in failed:
        console.print(f"[red]{problem}[/red]", highlight=False)
    told = f"{len(book.rules)} rules, {len(book.outcomes.actions)} actions, {len(book.examples)} examples"
    console.print(f"{domain} {book.digest[:12]}: {told}, {'all hold' if not failed else f'{len(failed)} do not hold'}")
    return 1 if failed else 0
