"""Documented limits of AWS Data Pipeline.

Source: AWS Data Pipeline Developer Guide, *AWS Data Pipeline limits*, and the API Reference for lengths of ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sandbox.datapipeline.objects import PipelineObject

MAX_PIPELINES = 100
MAX_OBJECTS_PER_PIPELINE = 100
MAX_FIELDS_PER_OBJECT = 50
MAX_PARAMETERS = 50
#: Bytes of UTF-8.
MAX_FIELD_NAME_BYTES = 256
MAX_ID_BYTES = 256
MAX_FIELD_VALUE_BYTES = 10_240
MAX_OBJECT_BYTES = 15_360
MAX_ACTIVE_INSTANCES = 5
MAX_RETRIES = 5
DEFAULT_RETRIES = 2
MIN_RETRY_DELAY = timedelta(minutes=2)
DEFAULT_RETRY_DELAY = timedelta(minutes=10)
MIN_PERIOD = timedelta(minutes=15)
#: Three years, one of them a leap year.
MAX_PERIOD = timedelta(days=3 * 365 + 1)
MIN_INSTANCE_INTERVAL = timedelta(minutes=5)
#: An older start is taken for a mistake: "AWS Data Pipeline attempts to prevent accidental backfills".
MAX_START_AGE = timedelta(days=1)
#: Characters.
MAX_EXPRESSION_LENGTH = 20_971_520
MAX_TASK_ID_LENGTH = 2_048
MAX_ERROR_ID_LENGTH = 1_024
MAX_WORKER_GROUP_LENGTH = 1_024
MAX_PIPELINE_NAME_LENGTH = 1_024
MAX_UNIQUE_ID_LENGTH = 1_024
MAX_STACK_TRACE_LENGTH = 1_024
MAX_OBJECT_IDS_PER_DESCRIBE = 25
MAX_PIPELINE_IDS_PER_DESCRIBE = 25


def size(text: str) -> int:
    """Return the length of a text in bytes of UTF-8, the unit of the limits on definitions."""
    return len(text.encode("utf-8", "surrogatepass"))


def object_size(item: PipelineObject) -> int:
    """Return the size of an object in bytes, names of fields included."""
    fields = sum(size(field.key) + size(field.string_value or field.ref_value or "") for field in item.fields)
    return size(item.id) + size(item.name) + fields


def exceeded(item: PipelineObject) -> Iterator[str]:
    """Yield one sentence for every limit that an object is over."""
    if size(item.id) > MAX_ID_BYTES:
        yield f"id is longer than {MAX_ID_BYTES} bytes"
    if len(item.fields) > MAX_FIELDS_PER_OBJECT:
        yield f"object has {len(item.fields)} fields; at most {MAX_FIELDS_PER_OBJECT} are allowed"
    for field in item.fields:
        if size(field.key) > MAX_FIELD_NAME_BYTES:
            yield f"name of field '{field.key[:40]}…' is longer than {MAX_FIELD_NAME_BYTES} bytes"
        if size(field.string_value or field.ref_value or "") > MAX_FIELD_VALUE_BYTES:
            yield f"value of field '{field.key[:40]}' is longer than {MAX_FIELD_VALUE_BYTES} bytes"
    if object_size(item) > MAX_OBJECT_BYTES:
        yield f"object is larger than {MAX_OBJECT_BYTES} bytes"
