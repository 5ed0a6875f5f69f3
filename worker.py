"""Connects to Temporal, registers the workflows and activities, and runs until told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import httpx
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig, WorkflowRunner

from activities.audit import AuditActivities
from activities.books import Books
from activities.cases import CaseActivities
from activities.datasets import DatasetActivities
from activities.improvements import ImprovementActivities
from activities.matrices import Matrices
from activities.measuring import Measures, measures_of
from activities.triggers import TriggerActivities
from activities.verification import VerificationActivities
from aftercare.beside import beside
from aftercare.codec import codec_of
from aftercare.learning.drawing import AUDIT_SHARE
from aftercare.redaction import Redactor, redactor_of
from aftercare.settings import Settings
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.store.datasets import Datasets
from aftercare.store.triggers import Triggers
from aftercare.supervisors import Supervisors
from aftercare.systems.records import Systems
from aftercare.temporal import connect, register_search_attributes, run_main
from workflows.case import CaseWorkflow
from workflows.conventions import CASES_QUEUE, DEPLOYMENT, IMPROVEMENT_QUEUE, SEARCH_ATTRIBUTES
from workflows.improvement import ImprovementWorkflow
from workflows.knowledge_update import KnowledgeUpdateWorkflow
from workflows.playbook_revision import PlaybookRevisionWorkflow
from workflows.retraining import RetrainingWorkflow
from workflows.upgrading import UpgradingImprovement

IMPROVEMENTS: Sequence[type] = (
    ImprovementWorkflow,
    RetrainingWorkflow,
    KnowledgeUpdateWorkflow,
    PlaybookRevisionWorkflow,
)
WORKFLOWS: Sequence[type] = (CaseWorkflow, *IMPROVEMENTS)
MEASURES = Measures()


def activities(
    cases: Cases, books: Books, systems: Systems, measures: Measures = MEASURES, audit_share: float = AUDIT_SHARE
) -> list[Callable[..., Any]]:
    """Every activity of a case, with what it touches handed to it."""
    on_store = CaseActivities(cases, books, measures, audit_share=audit_share)
    on_systems = VerificationActivities(cases, books, systems)
    audit = AuditActivities(cases, books, systems, measures)
    return [
        on_store.open_case,
        on_store.store_steps,
        on_store.record_evidence,
        on_store.settle_case,
        on_systems.verify_outcome,
        audit.audit_compliance,
    ]


def improvement_activities(
    cases: Cases, books: Books, matrices: Matrices, redactor: Redactor, triggers: Triggers | None = None
) -> list[Callable[..., Any]]:
    """Every activity of supervisors and improvements."""
    datasets = Datasets(cases.database)
    on_triggers = TriggerActivities(triggers or Triggers(cases.database), matrices, datasets)
    on_datasets = DatasetActivities(datasets, cases, books, redactor)
    return [
        on_triggers.check_trigger,
        on_triggers.fire_trigger,
        on_triggers.give_back,
        on_triggers.pause_trigger,
        on_triggers.end_firing,
        on_datasets.freeze_dataset,
        on_datasets.diagnose,
        ImprovementActivities().follow_improvement,
    ]


def case_worker(
    client: Client,
    cases: Cases,
    books: Books,
    systems: Systems,
    build_id: str = "",
    runner: WorkflowRunner | None = None,
    measures: Measures = MEASURES,
    audit_share: float = AUDIT_SHARE,
) -> Worker:
    """A worker on the cases' task queue. A build that names itself keeps the cases it began.

    The stories run without the sandbox, in which tests and replay run them (`aftercare.temporal.workflow_runner`).
    """
    return Worker(
        client,
        task_queue=CASES_QUEUE,
        workflows=[CaseWorkflow],
        activities=activities(cases, books, systems, measures, audit_share),
        workflow_runner=runner or UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(seconds=20),
        deployment_config=_versioned(build_id) if build_id else None,
    )


def improvement_worker(
    client: Client, does: Sequence[Callable[..., Any]], build_id: str = "", runner: WorkflowRunner | None = None
) -> Worker:
    """A worker on the task queue of supervisors and improvements. A supervisor goes on under each new build."""
    return Worker(
        client,
        task_queue=IMPROVEMENT_QUEUE,
        workflows=[UpgradingImprovement, *IMPROVEMENTS[1:]] if build_id else IMPROVEMENTS,
        activities=does,
        workflow_runner=runner or UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(seconds=20),
        deployment_config=_versioned(build_id) if build_id else None,
    )


def _versioned(build_id: str) -> WorkerDeploymentConfig:
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(DEPLOYMENT, build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


async def main() -> int:
    """Run until SIGINT or SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("httpx", "alembic", "temporalio.worker"):  # httpx would log the addresses of customers' records
        logging.getLogger(chatty).setLevel(logging.WARNING)
    settings = Settings()
    database = Database(settings.database_url)
    await database.migrate()
    client = await connect(codec=codec_of(settings.codec_keys.get_secret_value()))
    await register_search_attributes(client, SEARCH_ATTRIBUTES)
    cases = Cases(database)
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    async with httpx.AsyncClient(timeout=10) as http:
        books = Books(cases, settings.policies, settings.waits)
        systems = Systems.over_http(settings.systems, http)
        measures, share = measures_of(settings), settings.audit_share
        worker = case_worker(client, cases, books, systems, settings.build_id, measures=measures, audit_share=share)
        matrices = Matrices(cases, settings.policies)
        does = improvement_activities(cases, books, matrices, redactor_of())
        improvements = improvement_worker(client, does, settings.build_id)
        supervisors = Supervisors(client, Triggers(database), matrices)
        async with worker, improvements, beside(settings, client, cases, http, supervisors):
            print("worker ready", flush=True)
            await stop.wait()
    await database.close()
    return 0


if __name__ == "__main__":
    run_main(main())
