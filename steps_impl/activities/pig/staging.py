"""The data nodes of a PigActivity as relations of its script: what is done before Pig runs, and after.

What Pig writes to S3 goes to a folder beside the node's own first, and takes its place when all is there: a run that
fails leaves the data as they were, one that is repeated leaves the same data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.errors import NotFound, ParameterError
from steps_impl.activities.cluster import Cluster
from steps_impl.activities.cluster.publishing import Publication
from steps_impl.activities.objects.nodes import AnySqlNode, DataNode, MySqlDataNode, S3DataNode, SqlDataNode
from steps_impl.activities.pig import relations
from steps_impl.activities.pig.references import node_of, references
from steps_impl.activities.pig.tables import TableOfDatabase
from stores.s3 import S3Store


@dataclass
class StagedRelations:
    """Statements before and after a script, its parameters, what is done once Pig has ended well."""

    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)
    publications: list[Publication] = field(default_factory=list)
    finishing: list[Callable[[], int]] = field(default_factory=list)

    def finish(self) -> int:
        """Put what Pig has written in its place, databases last; return rows that were written to databases."""
        for publication in self.publications:
            publication.publish()
        return sum(finish() for finish in self.finishing)

    def discard(self) -> None:
        """Remove what Pig has written so far."""
        for publication in self.publications:
            publication.discard()


def stage(cluster: Cluster, script: str, inputs: Sequence[DataNode], outputs: Sequence[DataNode]) -> StagedRelations:
    """Return the relations of the nodes that a script uses; the others only say what depends on what.

    Raises:
        ParameterError: the script uses a node that is not there, or one that cannot be a relation.
        NotFound: there is nothing where an input is.
        StoreError, InterruptedError: of an input in a database.
    """
    staged = StagedRelations()
    for reference in references(script):
        made = reference.relation in staged.parameters.values()
        staged.parameters[reference.parameter] = reference.relation
        if made:
            continue
        if reference.side == "input":
            _load(cluster, staged, reference.relation, node_of(reference, inputs, cluster.label))
        else:
            _store(cluster, staged, reference.relation, node_of(reference, outputs, cluster.label))
    return staged


def _load(cluster: Cluster, staged: StagedRelations, relation: str, node: DataNode) -> None:
    known = _known(node)
    if isinstance(known, S3DataNode):
        if next(S3Store().list(known.uri), None) is None:
            raise NotFound(f"there is nothing at {known.uri}, the input {known.label}; check the path")
        staged.before.append(relations.load(relation, known.uri, known.data_format, known.label))
        return
    staged.before.append(TableOfDatabase(cluster, known, relation).load())


def _store(cluster: Cluster, staged: StagedRelations, relation: str, node: DataNode) -> None:
    known = _known(node)
    if isinstance(known, S3DataNode):
        if not known.directory_path:
            raise ParameterError(f"{known.label} is an output without directoryPath; Pig writes folders")
        publication = Publication(S3Store(), known.uri, cluster.tag, known.encrypted, cluster.context.cancelled)
        publication.discard()
        staged.publications.append(publication)
        staged.after.append(relations.store(relation, publication.draft, known.data_format, known.label))
        return
    table = TableOfDatabase(cluster, known, relation)
    staged.after.append(table.store())
    staged.finishing.append(table.insert)


def _known(node: DataNode) -> S3DataNode | AnySqlNode:
    if isinstance(node, S3DataNode | SqlDataNode | MySqlDataNode):
        return node
    raise ParameterError(
        f"{node.label} is a {node.type}, which cannot be a relation of Pig; known are: S3DataNode, SqlDataNode, "
        "MySqlDataNode"
    )
