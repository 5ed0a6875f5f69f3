"""The doctor on Temporal: does it answer, are cases found by what is known of them, does a worker take them?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import temporalio.api.operatorservice.v1 as operator
import temporalio.api.workflowservice.v1 as service
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from aftercare.commands import door
from aftercare.commands.answering import NotAsked
from aftercare.commands.checks import Check, problem, untold, well
from aftercare.settings import Settings
from workflows.conventions import CASES_QUEUE, DEPLOYMENT, SEARCH_ATTRIBUTES

AREA = "temporal"
LATELY = timedelta(seconds=75)  # a worker polls anew at least every minute; Temporal remembers it for five
WAITED_LONG = timedelta(seconds=10)
START = "start a worker: `python worker.py` with the same AFTERCARE_* and TEMPORAL_* variables"
KINDS = (
    ("workflows", TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
    ("activities", TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
)


async def temporal(settings: Settings) -> AsyncIterator[Check]:
    """Every check of Temporal, in order; what rests on one that failed cannot be told."""
    address = door.temporal_address()
    try:
        client = await door.temporal()
    except NotAsked as error:
        advice = "start it (`temporal server start-dev` on this machine), or set TEMPORAL_ADDRESS or a profile"
        yield problem(AREA, "server", f"no answer at {address} ({error.reasons[1]})", advice)
        for name in ("namespace", "search attributes", "worker"):
            yield untold(AREA, name, "Temporal does not answer")
        return
    version = await client.workflow_service.get_system_info(service.GetSystemInfoRequest())
    yield well(AREA, "server", f"version {version.server_version} at {address}")
    namespace = await _namespace(client)
    yield namespace
    if namespace.state == "problem":
        return
    for check in (_search_attributes(client), _worker(client)):
        yield await _asked(check)
    if settings.build_id:
        yield await _asked(_build(client, settings.build_id))


async def _asked(check: Any) -> Check:
    try:
        checked: Check = await check
    except RPCError as error:
        return untold(AREA, "server", f"Temporal answers {error.status.name}: {error.message}")
    return checked


async def _namespace(client: Client) -> Check:
    try:
        await client.workflow_service.describe_namespace(service.DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            return untold(AREA, "namespace", f"{client.namespace}: {error.status.name}")
        advice = f"`temporal operator namespace create -n {client.namespace}`, or set TEMPORAL_NAMESPACE"
        return problem(AREA, "namespace", f"there is no namespace {client.namespace}", advice)
    return well(AREA, "namespace", client.namespace)


async def _search_attributes(client: Client) -> Check:
    name = "search attributes"
    listed = await client.operator_service.list_search_attributes(
        operator.ListSearchAttributesRequest(namespace=client.namespace)
    )
    there = listed.custom_attributes
    missing = [k.name for k in SEARCH_ATTRIBUTES if k.name not in there]
    other = [k.name for k in SEARCH_ATTRIBUTES if k.name in there and there[k.name] != int(k.indexed_value_type)]
    if other:
        advice = "remove each (`temporal operator search-attribute remove --name NAME`) and start a worker"
        return problem(AREA, name, f"of another type than ours: {', '.join(other)}", advice)
    if missing:
        return problem(AREA, name, f"missing: {', '.join(missing)}", f"a worker registers them; {START}")
    return well(AREA, name, f"all {len(SEARCH_ATTRIBUTES)} are registered with our types")


async def _worker(client: Client) -> Check:
    queues = {name: await _queue(client, kind) for name, kind in KINDS}
    polled = {name: _pollers(queue) for name, queue in queues.items()}
    silent = [name for name, pollers in polled.items() if not pollers]
    if silent:
        told = f"nobody takes {' or '.join(silent)} from the task queue {CASES_QUEUE!r}"
        return problem(AREA, "worker", told, START)
    last = max(p.last_access_time.ToDatetime(tzinfo=UTC) for p in polled["workflows"])
    ago = f"last seen {max((datetime.now(UTC) - last).total_seconds(), 0):.0f} s ago"
    waited = max(q.stats.approximate_backlog_age.ToTimedelta() for q in queues.values())
    if waited > WAITED_LONG:
        told = f"{ago}, and tasks have waited for {waited.total_seconds():.0f} s: it is gone, or there are too few"
        return problem(AREA, "worker", told, START)
    identities = sorted({p.identity for p in polled["workflows"]})
    builds = sorted({p.deployment_options.build_id for p in polled["workflows"] if p.deployment_options.build_id})
    versions = f"builds {', '.join(builds)}" if builds else "without versions"
    return well(
        AREA, "worker", f"{len(identities)} on {CASES_QUEUE!r} ({', '.join(identities[:3])}), {versions}, {ago}"
    )


async def _queue(client: Client, kind: TaskQueueType.ValueType) -> service.DescribeTaskQueueResponse:
    return await client.workflow_service.describe_task_queue(
        service.DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=CASES_QUEUE),
            task_queue_type=kind,
            report_stats=True,
        )
    )


def _pollers(queue: service.DescribeTaskQueueResponse) -> list[PollerInfo]:
    since = datetime.now(UTC) - LATELY
    return [p for p in queue.pollers if p.last_access_time.ToDatetime(tzinfo=UTC) > since]


async def _build(client: Client, build_id: str) -> Check:
    name = "worker version"
    set_it = (
        f"`temporal worker deployment set-current-version --deployment-name {DEPLOYMENT} --build-id {build_id}`, "
        "once a worker of it runs"
    )
    try:
        described = await client.workflow_service.describe_worker_deployment(
            service.DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=DEPLOYMENT)
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return problem(AREA, name, f"no worker of the deployment {DEPLOYMENT!r} was ever seen", START)
    current = described.worker_deployment_info.routing_config.current_deployment_version.build_id
    if current != build_id:
        told = f"new cases go to {f'build {current}' if current else 'workers without a version'}, not to {build_id}"
        return problem(AREA, name, told, set_it)
    return well(AREA, name, f"build {build_id} is the current one")
