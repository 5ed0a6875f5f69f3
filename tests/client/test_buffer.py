"""What was written is sent, whatever dies in between: in order, and by one process at a time."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aftercare.client import Aftercare, AftercareError
from aftercare.client.places import buffer_file
from tests.client.child import ENDED
from tests.client.conftest import Made, done, entered, told
from tests.client.twin import Twin, problem

NOBODY = "http://127.0.0.1:1"
ROOT = Path(__file__).parents[2]


@contextmanager
def agent(url: str, file: Path, name: str, cases: int, *more: str) -> Iterator[subprocess.Popen[str]]:
    """An agent in a process of its own; killed by its id if it is still there."""
    command = [sys.executable, "-m", "tests.client.child", url, str(file), name, str(cases), *more]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, cwd=ROOT, **pipes) as process:  # type: ignore[call-overload] # noqa: S603
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str], until: str = ENDED) -> list[str]:
    """What it said, up to a word."""
    assert process.stdout
    lines = iter(process.stdout.readline, "")
    return [line.strip() for line in iter(lambda: next(lines), f"{until}\n")]


def whole(twin: Twin, written: list[str]) -> bool:
    """Whether every case that was written arrived once and in its order, in however many batches."""
    return len(twin.ids()) == len(set(twin.ids())) and all(_in_order(twin, id) for id in written if "." not in id)


def _in_order(twin: Twin, case_id: str) -> bool:
    kinds = [r.kind for r in twin.taken if r.case_id == case_id]
    steps = [s.number for s in twin.steps(case_id)]
    return kinds[0] == "registration" and kinds[-1] == "resolution" and steps == [1, 2, 3]


def test_what_a_killed_process_had_written_the_next_one_sends(made: Made, twin: Twin, tmp_path: Path) -> None:
    """SIGKILL, and exactly the same ids arrive."""
    with agent(NOBODY, tmp_path / "buffer.db", "killed", 4) as process:
        written = said(process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert made().flush()
    assert twin.ids() == written
    assert len(written) == 12


def test_a_process_killed_while_it_sends_loses_and_doubles_nothing(made: Made, twin: Twin, tmp_path: Path) -> None:
    """Three times over, between a request, its answer and the removal; each case arrives in its order."""
    written = []
    with twin.served() as url:
        for name in ("first", "second", "third"):
            with agent(url, tmp_path / "buffer.db", name, 200) as process:
                written += said(process, until=f"{name}-20")
                os.kill(process.pid, signal.SIGKILL)
    assert 0 < len(twin.ids()) < 1_800
    assert made().flush(60.0)
    assert set(written) <= set(twin.ids())
    assert whole(twin, written)
    assert made().refused() == ()


def test_two_processes_with_one_file_keep_every_cases_order(twin: Twin, tmp_path: Path) -> None:
    """One sends at a time, and the other's writes too; hardly anything is sent twice."""
    file = tmp_path / "buffer.db"
    with twin.served() as url, agent(url, file, "one", 15) as one, agent(url, file, "two", 15) as two:
        written = said(one) + said(two)
        for process in (one, two):
            assert process.communicate("end\n", timeout=60)[0] == "flushed\n"
    assert set(written) <= set(twin.ids())
    assert whole(twin, written)
    assert twin.attempts <= len(twin.ids()) + 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_client_may_be_forked(twin: Twin, tmp_path: Path) -> None:
    """As servers with worker processes do it: both sides go on writing, and everything arrives once."""
    with twin.served() as url, agent(url, tmp_path / "buffer.db", "forked", 5, "fork") as process:
        written = said(process, until="flushed")
    assert set(written) <= set(twin.ids())
    assert len(written) == 3 * (3 + 5 + 5)
    assert whole(twin, written)


async def test_while_nobody_answers_the_agent_works_on(any_care: object, twin: Twin) -> None:
    """Later everything arrives, in order."""
    care = any_care
    twin.down = True
    for number in range(3):
        async with entered(care.case(f"case-{number}")) as case:  # type: ignore[attr-defined]
            for _ in range(3):
                case.step("reason")
            await done(case.resolve())
    assert not await done(care.flush(0.1))  # type: ignore[attr-defined]
    assert twin.taken == []
    twin.down = False
    assert await done(care.flush())  # type: ignore[attr-defined]
    assert whole(twin, [f"case-{number}" for number in range(3)])


def test_a_later_client_sends_what_waits_by_itself(made: Made, twin: Twin) -> None:
    """Without anybody writing anything."""
    twin.down = True
    made().feedback("case-1", "csat", 5)
    made().close(0.0)
    twin.down = False
    assert made().flush()
    assert len(twin.taken) == 1


def test_a_refused_message_can_be_read_by_a_later_client(made: Made, twin: Twin) -> None:
    """With the server's reasons and what was sent."""
    twin.replies.append(problem(409, "the id 'f1' was used before for another feedback"))
    assert made()
    made().feedback("case-1", "csat", 5, id="f1")
    assert made().flush()
    [refused] = made().refused()
    assert (refused.case_id, refused.kind, refused.id, refused.status) == ("case-1", "feedback", "f1", 409)
    assert refused.reasons == ("the id 'f1' was used before for another feedback",)
    assert '"csat"' in (refused.body or "")


def test_the_file_is_for_its_user_alone(made: Made, tmp_path: Path) -> None:
    """It holds what customers said; so do the files that SQLite keeps beside it."""
    (tmp_path / "buffer.db").touch(0o644)
    made().feedback("case-1", "csat", 5)
    modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {0o600}


def test_what_was_sent_is_not_left_on_the_disk(made: Made, tmp_path: Path) -> None:
    """Neither in the file nor beside it."""
    care = made()
    care.feedback("case-1", "csat", 5, comment="my name is Nora")
    assert care.close()
    assert b"Nora" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_a_full_buffer_keeps_what_it_has(made: Made, twin: Twin) -> None:
    """New writes are left out and told; the agent notices nothing."""
    twin.down = True
    care = made(limit=200_000)
    for _ in range(20):
        care.feedback("case-1", "csat", 5, comment="x" * 15_000)
    full = [p for p in care.problems() if p.what == "buffer_full"]
    twin.down = False
    assert care.flush()
    assert 0 < len(full) == 20 - len(twin.taken)
    care.feedback("case-1", "csat", 4)
    assert care.flush()
    assert twin.taken[-1].body["value"] == 4


def test_a_file_that_cannot_be_used_costs_no_case(twin: Twin, tmp_path: Path) -> None:
    """Writes wait in memory instead, and that is told."""
    (tmp_path / "no-database").write_text("this is no database, and long enough to be seen as none" * 100)
    care = Aftercare(**told(twin, tmp_path / "no-database"))
    care.feedback("case-1", "csat", 5)
    assert care.close()
    assert [p.what for p in care.problems()] == ["buffer_unusable"]
    assert len(twin.taken) == 1


def test_a_client_that_was_closed_can_be_used_again(made: Made, twin: Twin) -> None:
    """A late write is kept and sent like any other."""
    care = made()
    assert care.close()
    care.feedback("case-1", "csat", 5)
    assert care.close()
    assert len(twin.taken) == 1


def test_the_key_is_sent_and_a_wrong_one_loses_nothing(made: Made, twin: Twin) -> None:
    """It may be put right, and then everything is sent."""
    twin.key = "ak_1_right"
    wrong = made(key="ak_1_wrong")
    wrong.feedback("case-1", "csat", 5)
    assert not wrong.flush(0.1)
    wrong.close(0.0)
    assert made(key="ak_1_right\n").flush()
    assert len(twin.taken) == 1


def test_each_agent_and_each_aftercare_has_a_file_of_its_own(tmp_path: Path) -> None:
    """Nothing is sent to another Aftercare, or in another agent's name."""
    files = {buffer_file("", url, agent) for url in ("http://a", "http://b") for agent in ("a.1", "a:1", None)}
    assert len(files) == 6
    assert buffer_file(None, "http://a", "a") is None
    assert buffer_file(tmp_path / "x.db", "http://a", "a") == tmp_path / "x.db"


@pytest.mark.parametrize(("url", "key"), [("127.0.0.1:8080", "k"), ("ftp://x", "k"), ("http://x", "k\u00e9")])
def test_an_address_or_key_that_can_never_work_is_said_at_once(url: str, key: str) -> None:
    """When the client is made, not when a case is lost; the key is not told."""
    with pytest.raises(AftercareError, match=r"AFTERCARE_(URL|KEY)") as error:
        Aftercare(url, key=key, buffer=None)
    assert key not in str(error.value).split()
