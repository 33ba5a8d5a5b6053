"""The history of a root, put into ML Metadata's own store: what it asks there has the answers that penstock gives."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "export"))
from google.protobuf import json_format  # noqa: E402
from ml_metadata import metadata_store  # noqa: E402
from ml_metadata.proto import metadata_store_pb2 as mlmd  # noqa: E402

from common import Case, check  # noqa: E402

case = Case()
case.penstock("run", case.file, "--root", case.root)
case.penstock("run", case.file, "--root", case.root, "--set", "trainer.hidden=[16]")
graph = json_format.Parse(case.penstock("metadata", "mlmd", "--root", case.root), mlmd.LineageGraph())

config = mlmd.ConnectionConfig()
config.fake_database.SetInParent()
store = metadata_store.MetadataStore(config)


def put(messages, types, put_types, put_all):
    """Our numbers -> the store's."""
    type_ids = {t.id: put_types(type(t)(name=t.name)) for t in types}
    fresh = []
    for message in messages:
        copy = type(message)()
        copy.CopyFrom(message)
        copy.type_id = type_ids[message.type_id]
        for field in ("id", "type", "create_time_since_epoch", "last_update_time_since_epoch"):
            copy.ClearField(field)
        fresh.append(copy)
    return dict(zip([m.id for m in messages], put_all(fresh)))


artifacts = put(graph.artifacts, graph.artifact_types, store.put_artifact_type, store.put_artifacts)
executions = put(graph.executions, graph.execution_types, store.put_execution_type, store.put_executions)
contexts = put(graph.contexts, graph.context_types, store.put_context_type, store.put_contexts)
events = []
for event in graph.events:
    copy = mlmd.Event()
    copy.CopyFrom(event)
    copy.artifact_id, copy.execution_id = artifacts[event.artifact_id], executions[event.execution_id]
    events.append(copy)
store.put_events(events)
store.put_attributions_and_associations(
    [mlmd.Attribution(artifact_id=artifacts[a.artifact_id], context_id=contexts[a.context_id])
     for a in graph.attributions],
    [mlmd.Association(execution_id=executions[a.execution_id], context_id=contexts[a.context_id])
     for a in graph.associations])
store.put_parent_contexts([mlmd.ParentContext(child_id=contexts[p.child_id], parent_id=contexts[p.parent_id])
                           for p in graph.parent_contexts])

models = store.get_artifacts_by_type("Model")
ours = case.json("artifacts", "--type", "Model", "--root", case.root)["artifacts"]
check([m.name for m in models] == [m["id"] for m in ours] and len(models) == 2, f"{[m.name for m in models]}")
for model, our in zip(models, ours):
    check(model.state == mlmd.Artifact.LIVE and model.uri == str(case.root / our["uri"]), f"{model}")
    check(model.custom_properties["content_hash"].string_value == our["hash"], f"{model}")
    check(model.custom_properties["steps"].int_value == our["properties"]["steps"], f"{model}")
    upstream = mlmd.LineageSubgraphQueryOptions(
        starting_artifacts=mlmd.LineageSubgraphQueryOptions.StartingNodes(filter_query=f"id = {model.id}"),
        max_num_hops=20, direction=mlmd.LineageSubgraphQueryOptions.UPSTREAM)
    found = sorted(a.name for a in store.get_lineage_subgraph(upstream).artifacts)
    lineage = case.json("lineage", model.name, "--up", "--root", case.root)
    check(found == sorted(a["id"] for a in lineage["artifacts"]), f"{model.name}: {found}")

for run in case.json("runs", "--root", case.root)["runs"]:
    context = store.get_context_by_type_and_name("pipeline_run", f"taxi.{run['run']}")
    parents = store.get_parent_contexts_by_context(context.id)
    check([p.name for p in parents] == ["taxi"], f"{parents}")
    states = {e.name.split(".")[1]: mlmd.Execution.State.Name(e.last_known_state)
              for e in store.get_executions_by_context(context.id)}
    nodes = {n["node"]: n["status"] for n in case.json("status", run["run"], "--root", case.root)["nodes"]}
    check(states == {n: {"succeeded": "COMPLETE", "cached": "CACHED"}[s] for n, s in nodes.items()}, f"{states}")
trainer = store.get_executions_by_type("trainer")[1]
check(list(trainer.custom_properties["options"].struct_value["hidden"]) == [16], f"{trainer}")
print("ml metadata: ok")
