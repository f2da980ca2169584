"""DescribeObjects, QueryObjects, EvaluateExpression.

Source: AWS Data Pipeline API Reference.
"""

from __future__ import annotations

from typing import Any

from core.errors import ExpressionInvalid
from sandbox.datapipeline import limits
from sandbox.datapipeline.answers import InvalidRequest
from sandbox.datapipeline.describe import describe, find, selectable
from sandbox.datapipeline.expressions import evaluate
from sandbox.datapipeline.model import Pipeline
from sandbox.datapipeline.paging import DEFAULT_PAGE, page, sifted
from sandbox.datapipeline.query import matches, read_query
from sandbox.datapipeline.scope import DefinitionScope
from sandbox.datapipeline.service import Service

SPHERES = ("COMPONENT", "INSTANCE", "ATTEMPT")
#: ``aws datapipeline list-runs`` describes this many objects in one call, over the documented limit of 25. The ``aws``
#: command, known by its User-Agent, is let do it, or it could not list 26 runs; others are held to what is documented.
AWS_CLI_OBJECTS = 100


def describe_objects(service: Service, request: dict[str, Any], *, from_aws_cli: bool = False) -> dict[str, Any]:
    """Describe up to 25 components, instances or attempts."""
    pipeline = service.state.pipeline(request["pipelineId"])
    wanted = request["objectIds"]
    most = AWS_CLI_OBJECTS if from_aws_cli else limits.MAX_OBJECT_IDS_PER_DESCRIBE
    if not 1 <= len(wanted) <= most:
        raise InvalidRequest(f"objectIds has {len(wanted)} ids; 1 to {most} are allowed")
    evaluated = bool(request.get("evaluateExpressions"))
    found = [find(service.state, pipeline, object_id) for object_id in wanted]
    described = [describe(service.state, pipeline, entry, evaluated=evaluated) for entry in found]
    return page(described, "pipelineObjects", request.get("marker"))


def query_objects(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Return the ids of the objects of a sphere that fulfil every selector."""
    pipeline = service.state.pipeline(request["pipelineId"])
    sphere = request["sphere"].upper()
    if sphere not in SPHERES:
        raise InvalidRequest(f"sphere must be one of {', '.join(SPHERES)}")
    size = DEFAULT_PAGE if request.get("limit") is None else request["limit"]
    if not 1 <= size <= DEFAULT_PAGE:
        raise InvalidRequest(f"limit must be 1 to {DEFAULT_PAGE}")
    query = read_query(request.get("query") or {})

    def accepts(object_id: str) -> bool:
        described = selectable(service.state, pipeline, find(service.state, pipeline, object_id)) if query else {}
        return matches(described, query)

    return sifted(_ids(service, pipeline, sphere), "ids", request.get("marker"), size, accepts)


def evaluate_expression(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Evaluate a text in the context of a component, instance or attempt."""
    pipeline = service.state.pipeline(request["pipelineId"])
    target = find(service.state, pipeline, request["objectId"])
    runtime, node = target.runtime(service.state), target.node(service.state)
    scope = DefinitionScope(target.plan.definition, target.component, runtime, node)
    try:
        result = evaluate(request["expression"], scope)
    except ExpressionInvalid as error:
        raise InvalidRequest(str(error)) from None
    return {"evaluatedExpression": result if isinstance(result, str) else ",".join(result)}


def _ids(service: Service, pipeline: Pipeline, sphere: str) -> list[str]:
    state = service.state
    if sphere == "COMPONENT":
        return [item["id"] for item in state.body(pipeline, pipeline.latest_version)["objects"]]
    return list((state.instances if sphere == "INSTANCE" else state.attempts)[pipeline.id])
