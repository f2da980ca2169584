"""Every error of Ductrunner, in one tree.

::

    DuctrunnerError                     exit 1
    ├── SettingsError                   exit 2  the configuration file, the environment or a flag is wrong
    ├── ParameterError                  exit 2  a step's parameters are wrong
    ├── CheckFailed                     exit 3  a quality check found what it looks for
    ├── DependencyFailed                another pipeline that a step waited for ended badly
    ├── DataNotThere                    what a step waited for did not come in time
    ├── StepInterrupted                 exit 143  a step was asked to stop and undid what it had begun
    ├── MissingExtra                    an optional library that a step needs is not installed
    ├── InternalError                   a fault of Ductrunner itself
    ├── StoreError                      an outside system
    │   ├── StoreUnreachable            no connection, or it broke
    │   ├── AccessDenied                a password, key or permission was refused
    │   ├── NotFound                    the bucket, object, table, host entry or secret is not there
    │   ├── Throttled                   a service asks for fewer calls
    │   ├── RequestRefused              a service refused a call as invalid
    │   ├── UnsupportedDatabase         a kind of database, or a way to it, that there is no driver for
    │   ├── StatementFailed             a database refused a statement
    │   ├── ObjectReplaced              another writer has replaced an object in between
    │   ├── TransactionConflict         a serialization failure or deadlock; the transaction may be tried again
    │   └── LoadRejected                a bulk load refused its input
    ├── DataError                       data that cannot be carried over faithfully
    │   ├── UnsupportedValue            a value that the format or the target cannot hold
    │   ├── RecordMalformed             a record of a file that cannot be read
    │   ├── SchemaMismatch              the table there is not the table that was defined
    │   └── DefinitionError             a table definition that is not understood
    ├── TaskError                       one attempt of a task
    │   ├── TaskMalformed               the task cannot be read, or a field or type is not supported
    │   ├── ScriptNotFound              the scriptUri is not there
    │   ├── ProgramMissing              a program that the activity needs is not on this machine
    │   ├── StagingFailed               a file could not be staged in or out
    │   ├── DiskFull                    no space left for staging, logs or temporary files
    │   ├── CommandFailed               the command ended with a non-zero exit status
    │   ├── CommandKilled               the command was ended by a signal that was not ours
    │   ├── ActivityTimedOut            the attempt ran into its attemptTimeout
    │   ├── AttemptInterrupted          the agent died while the attempt was running
    │   ├── PreconditionFalse           a precondition did not become true within its preconditionTimeout
    │   ├── HookFailed                  a hook of this machine refused or failed the task
    │   ├── MemoryExhausted             the attempt was ended for want of memory
    │   ├── OwnershipLost               the service has taken the task away, or does not know it any more
    │   └── AgentStopped                the agent had to stop before the attempt was done
    ├── PipelineInvalid                 exit 2  a pipeline definition is wrong
    │   └── ExpressionInvalid           an expression of it cannot be read or evaluated
    └── SandboxError                    a part of the sandbox did not come up
        └── PartMissing                 a server that the sandbox starts is not installed on this machine

``error_id`` is stable: it is what SetTaskStatus reports, what a step's result file carries and what operators
search for. A message is one sentence that says what is wrong, where, and what to do; it never holds a secret
or row data. AWS limits (API Reference, SetTaskStatus): ``errorId`` at most 1024 characters and not beginning
with ``Service_``.
"""

from __future__ import annotations

from typing import ClassVar


class DuctrunnerError(Exception):
    """Something went wrong in a way that Ductrunner knows."""

    error_id: ClassVar[str] = "DuctrunnerError"
    exit_code: ClassVar[int] = 1


class SettingsError(DuctrunnerError):
    """The configuration file, the environment or a flag is wrong."""

    error_id = "InvalidSettings"
    exit_code = 2


class ParameterError(DuctrunnerError):
    """A step's parameters are wrong."""

    error_id = "InvalidParameters"
    exit_code = 2


class CheckFailed(DuctrunnerError):
    """A quality check found what it looks for."""

    error_id = "CheckFailed"
    exit_code = 3


class MissingExtra(DuctrunnerError):
    """An optional library that a step needs is not installed."""

    error_id = "MissingExtra"


class InternalError(DuctrunnerError):
    """A fault of Ductrunner itself."""

    error_id = "InternalError"


class DependencyFailed(DuctrunnerError):
    """Another pipeline that a step waited for ended badly."""

    error_id = "DependencyFailed"


class DataNotThere(DuctrunnerError):
    """What a step waited for did not come in time."""

    error_id = "DataNotThere"


class StepInterrupted(DuctrunnerError):
    """A step was asked to stop (SIGTERM) and undid what it had begun."""

    error_id = "Interrupted"
    exit_code = 143


class StoreError(DuctrunnerError):
    """An outside system failed."""

    error_id = "StoreError"


class StoreUnreachable(StoreError):
    """No connection to an outside system, or it broke."""

    error_id = "StoreUnreachable"


class AccessDenied(StoreError):
    """A password, key or permission was refused."""

    error_id = "AccessDenied"


class NotFound(StoreError):
    """The bucket, object, table, host entry or secret is not there."""

    error_id = "NotFound"


class Throttled(StoreError):
    """A service asks for fewer calls."""

    error_id = "Throttled"


class RequestRefused(StoreError):
    """A service refused a call as invalid."""

    error_id = "RequestRefused"


class UnsupportedDatabase(StoreError):
    """A kind of database, or a way to it, that there is no driver for."""

    error_id = "UnsupportedDatabase"


class StatementFailed(StoreError):
    """A database refused a statement."""

    error_id = "StatementFailed"


class ObjectReplaced(StoreError):
    """Another writer has replaced an object between two looks at it."""

    error_id = "ObjectReplaced"


class TransactionConflict(StoreError):
    """A serialization failure or deadlock; the transaction may be tried again."""

    error_id = "TransactionConflict"


class LoadRejected(StoreError):
    """A bulk load refused its input."""

    error_id = "LoadRejected"


class DataError(DuctrunnerError):
    """Data that cannot be carried over faithfully."""

    error_id = "DataError"


class UnsupportedValue(DataError):
    """A value that the format or the target cannot hold."""

    error_id = "UnsupportedValue"


class RecordMalformed(DataError):
    """A record of a file that cannot be read."""

    error_id = "RecordMalformed"


class SchemaMismatch(DataError):
    """The table there is not the table that was defined."""

    error_id = "SchemaMismatch"


class DefinitionError(DataError):
    """A table definition that is not understood."""

    error_id = "InvalidTableDefinition"


class TaskError(DuctrunnerError):
    """One attempt of a task failed."""

    error_id = "TaskError"


class TaskMalformed(TaskError):
    """The task cannot be read, or a field or type is not supported."""

    error_id = "TaskMalformed"


class ScriptNotFound(TaskError):
    """The scriptUri is not there."""

    error_id = "ScriptNotFound"


class ProgramMissing(TaskError):
    """A program that the activity needs is not on this machine."""

    error_id = "ProgramMissing"


class StagingFailed(TaskError):
    """A file could not be staged in or out."""

    error_id = "StagingFailed"


class DiskFull(TaskError):
    """No space left for staging, logs or temporary files."""

    error_id = "DiskFull"


class CommandFailed(TaskError):
    """The command ended with a non-zero exit status."""

    error_id = "CommandFailed"


class CommandKilled(TaskError):
    """The command was ended by a signal that was not ours."""

    error_id = "CommandKilled"


class ActivityTimedOut(TaskError):
    """The attempt ran into its attemptTimeout."""

    error_id = "ActivityTimedOut"


class AttemptInterrupted(TaskError):
    """The agent died while the attempt was running."""

    error_id = "AttemptInterrupted"


class PreconditionFalse(TaskError):
    """A precondition did not become true within its preconditionTimeout."""

    error_id = "PreconditionFalse"


class HookFailed(TaskError):
    """A hook of this machine refused or failed the task."""

    error_id = "HookFailed"


class MemoryExhausted(TaskError):
    """The attempt was ended for want of memory."""

    error_id = "MemoryExhausted"


class OwnershipLost(TaskError):
    """The service has taken the task away, or does not know it any more."""

    error_id = "OwnershipLost"


class AgentStopped(TaskError):
    """The agent had to stop before the attempt was done."""

    error_id = "AgentStopped"


class PipelineInvalid(DuctrunnerError):
    """A pipeline definition is wrong."""

    error_id = "InvalidPipelineDefinition"
    exit_code = 2


class ExpressionInvalid(PipelineInvalid):
    """An expression of a pipeline definition cannot be read or evaluated."""

    error_id = "InvalidExpression"


class SandboxError(DuctrunnerError):
    """A part of the sandbox did not come up."""

    error_id = "SandboxError"


class PartMissing(SandboxError):
    """A server that the sandbox starts is not installed on this machine."""

    error_id = "SandboxPartMissing"
