"""CaseWorkflow: one case, from first contact until it is known how it really ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from activities.audit import AuditActivities
from activities.cases import CaseActivities
from activities.verification import VerificationActivities
from aftercare.lifecycle import story
from aftercare.lifecycle.outcome import outcome_of, settlement_of
from aftercare.lifecycle.state import CaseState
from aftercare.messages.case import Case
from aftercare.messages.outcome import QUIET, Episode, Settlement, Stage
from aftercare.messages.policy import AuditResult, Timing, Verdict, Verification, VerificationResult
from aftercare.messages.work import ExamineEpisode, OpenCase, Opened, SettleCase
from workflows import conventions as by
from workflows.attributes import attributes_of
from workflows.case_messages import CaseMessages


@workflow.defn
class CaseWorkflow(CaseMessages):
    """Follows a case: open, resolve, verify, audit, watch, settle; from resolve again whenever it is reopened."""

    @workflow.init
    def __init__(self, given: Any) -> None:
        super().__init__(given)
        self.indexed: dict[str, Any] = {p.key.name: p.value for p in workflow.info().typed_search_attributes}

    @workflow.run
    async def run(self, given: Any) -> Settlement:
        """The table of contents of a case. `given` is a CaseInput as JSON."""
        self._check_id()
        await self._open()
        while not await self._settled():
            while self.state.unfinished:
                await self._resolve()
                await self._verify()
                await self._audit()
                await self._watch()
        return settlement_of(self.state)

    async def _open(self) -> None:
        """Pin the policy book. A run that follows an earlier one takes up where that one left off."""
        self.tell()
        opened = await self._opened_by_store()
        while opened.book is None and await self._registered_in_time():
            opened = await self._opened_by_store()
        if opened.earlier:
            self.state = CaseState.model_validate(opened.earlier)
            self.state.revision += 1
        elif opened.book:
            self.news += 1
        self.state.case, self.state.book = opened.case or self.state.case, opened.book
        self.state.last_sign = workflow.now()
        self.opened = True

    async def _resolve(self) -> None:
        """Wait for the agent's word, or a person's; every sign of life starts the wait anew."""
        self.state.begin_episode(workflow.now())
        if self._episode.ending:
            return
        self._enter(Stage.RESOLVING)
        within = self._timing.silence(by_person=self._case.handled_by == "human")
        # Steps do not touch the timer: when it fires, it sleeps what is left since the last sign of life.
        while not self.state.ended and (rest := self._silence_left(within)) > timedelta(0):
            try:
                await workflow.wait_condition(
                    lambda: self.state.ended,
                    timeout=rest,
                    timeout_summary=story.waiting(self.state, within),
                )
            except TimeoutError:
                continue
        self.state.end_episode()

    async def _verify(self) -> None:
        """Look in the systems of record for what was claimed."""
        if self._fell_silent:
            return
        self._enter(Stage.VERIFYING)
        within = self._timing.verify_within
        try:
            result = await workflow.execute_activity_method(
                VerificationActivities.verify_outcome,
                self._examination(True),
                summary=f"look in the systems of record: {story.claims(self._episode)}",
                start_to_close_timeout=by.LOOK_TIMEOUT,
                schedule_to_close_timeout=within + by.LOOK_GRACE,
                retry_policy=by.LOOK_RETRY,
            )
        except ActivityError as error:
            note = f"verification did not come to an end: {error.cause or error}"
            result = VerificationResult(status=Verification.UNVERIFIABLE, note=note[:500])
        self.state.change(verification=result)

    async def _audit(self) -> None:
        """Hold what was done against the pinned policy book."""
        if self._fell_silent and self._episode.steps_to < self._episode.steps_from:
            return
        self._enter(Stage.AUDITING)
        try:
            result = await workflow.execute_activity_method(
                AuditActivities.audit_compliance,
                self._examination(self._episode.handled_by == "human"),
                summary=f"audit {story.audited(self._episode)} against the {self._case.domain} policy book",
                start_to_close_timeout=by.LOOK_TIMEOUT,
                schedule_to_close_timeout=self._timing.verify_within + by.LOOK_GRACE,
                retry_policy=by.LOOK_RETRY,
            )
        except ActivityError as error:
            note = f"the audit did not come to an end: {error.cause or error}"
            result = AuditResult(verdict=Verdict.UNDETERMINED, note=note[:500])
        self.state.change(audit=result)

    async def _watch(self) -> None:
        """Wait for the customer. A reopening or an override ends the watch early."""
        if self._fell_silent:
            return
        watch = self._timing.watch_for(self._episode.intent)
        self.state.change(watch_until=workflow.now() + watch)
        self._enter(Stage.WATCHING)
        self._index()
        try:
            await workflow.wait_condition(
                lambda: bool(self.state.openings),
                timeout=watch,
                timeout_summary=f"wait {story.in_words(watch)} for the customer to come back",
            )
        except TimeoutError:
            return

    async def _settled(self) -> bool:
        """Write down how it ended, once. False where something is left to do, or came in meanwhile."""
        await workflow.wait_condition(lambda: workflow.all_handlers_finished() or self.unopened)
        if self.unopened:  # registered after all, when nobody waited for it any more
            await self._open()
            return False
        if not self.state.registered or (not self.news and not self.state.unfinished):
            return True  # nobody registered the case, or nobody told this run anything new
        if self.state.unfinished:
            return False
        seen = self.news
        self.state.stage = Stage.SETTLED
        # The quiet end was written on entering the watch; an operation for every other case is saved.
        if outcome_of(self.state) not in QUIET or self.indexed.get(by.CASE_OUTCOME.name) != outcome_of(self.state):
            self._index()
        self.tell()
        await workflow.execute_local_activity_method(
            CaseActivities.settle_case,
            SettleCase(
                settlement=settlement_of(self.state),
                run_id=workflow.info().run_id,
                state=self.state.to_keep(),
                at=workflow.now(),
            ),
            summary=f"write down: {outcome_of(self.state)}",
            **by.TO_STORE,
        )
        await workflow.wait_condition(workflow.all_handlers_finished)
        return seen == self.news

    async def _opened_by_store(self) -> Opened:
        if self.state.case and self.state.case.opened_at is None:
            self.state.case = self.state.case.model_copy(update={"opened_at": workflow.now()})
        try:
            return await workflow.execute_activity_method(
                CaseActivities.open_case,
                OpenCase(case_id=self.state.case_id, case=self.state.case),
                summary="pin the policy book, write the case down",
                **by.TO_STORE,
            )
        except ActivityError as error:
            # There is no book for its domain: this registration is refused, and a better one may still come.
            self.unopenable, self.state.case = str(error.cause or error), None
            return Opened()

    async def _registered_in_time(self) -> bool:
        try:
            await workflow.wait_condition(
                lambda: self.state.registered,
                timeout=by.REGISTRATION_WAIT,
                timeout_summary="wait for somebody to register this case",
            )
        except TimeoutError:
            return False
        return True

    def _check_id(self) -> None:
        """One workflow per case: another one about the same case would take its messages."""
        if self.unreadable:
            raise ApplicationError("; ".join(self.unreadable), type="Refused", non_retryable=True)
        if workflow.info().workflow_id != (right := by.case_workflow_id(self.state.case_id)):
            raise ApplicationError(f"the workflow of this case is {right!r}", type="WrongId", non_retryable=True)

    def _enter(self, stage: Stage) -> None:
        self.state.stage = stage
        self.tell()

    def _index(self) -> None:
        """Let the case be found by what is known of it: one event, and only for what changed."""
        known = attributes_of(self.state)
        changed = [key.value_set(value) for key, value in known.items() if self.indexed.get(key.name) != value]
        if changed:
            workflow.upsert_search_attributes(changed)
            self.indexed |= {key.name: value for key, value in known.items()}

    def _examination(self, with_actions: bool) -> ExamineEpisode:
        episode = self._episode
        told: dict[str, Any] = {"within": self._timing.verify_within}
        told |= {"actions": episode.actions} if with_actions and episode.actions else {}
        told |= {"steps_from": episode.steps_from} if episode.number > 1 else {}
        told |= {"watched": False} if self._fell_silent else {}
        told |= {} if self.state.stage is Stage.VERIFYING else {"steps_held": self.state.steps.count}
        if episode.override:
            agents = tuple(a for e in self.state.episodes if not e.override for a in e.actions)
            told |= {"final": episode.ending, "agents": agents}
        return ExamineEpisode(
            case_id=self.state.case_id,
            number=episode.number,
            steps_to=episode.steps_to,
            **told,
        )

    def _silence_left(self, within: timedelta) -> timedelta:
        return (self.state.last_sign or workflow.now()) + within - workflow.now()

    @property
    def _episode(self) -> Episode:
        return self.state.episodes[-1]

    @property
    def _fell_silent(self) -> bool:
        return self._episode.ending == "fell_silent"

    @property
    def _timing(self) -> Timing:
        return self.state.book.timing if self.state.book else Timing()

    @property
    def _case(self) -> Case:
        if self.state.case is None:
            raise ApplicationError("the case is not registered", non_retryable=True)
        return self.state.case
