from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from include.local.airflow_config import LOCAL_SETTINGS
from include.local.preload import LIBRARIES, preload

PROJECT_ROOT = Path(__file__).resolve().parents[2]

# Preloads as the scheduler does, then works in a forked child as a task does.
FORKED_WORK = """
import os, signal, sys
from include.local.preload import preload
assert preload() == []
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
child = os.fork()
if child == 0:
    signal.alarm(60)
    import numpy as np, onnx, onnxruntime, pandas as pd, pyarrow as pa, pyarrow.compute, pyarrow.parquet as pq, spacy
    from sklearn.decomposition import TruncatedSVD
    from sklearn.linear_model import LogisticRegression
    points = np.random.default_rng(0).normal(size=(400, 40)).astype("float32")
    TruncatedSVD(8).fit(points)
    LogisticRegression().fit(points, points[:, 0] > 0)
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(pd.DataFrame(points)), buffer)
    assert pq.read_table(pa.BufferReader(buffer.getvalue()), use_threads=True).num_rows == 400
    shape = [None, 40]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", ["x"], ["y"])], "g",
        [onnx.helper.make_tensor_value_info("x", 1, shape)], [onnx.helper.make_tensor_value_info("y", 1, shape)],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    assert session.run(None, {"x": points})[0].min() == 0
    assert len(spacy.blank("fr")("un champagne brut")) == 3
    os._exit(0)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=PROJECT_ROOT, check=False, timeout=300)


def test_a_forked_task_can_work_with_every_preloaded_library() -> None:
    result = run(FORKED_WORK)
    assert result.returncode == 0, result.stderr


def test_only_the_scheduler_preloads() -> None:
    for argument, expected in (("scheduler", "True"), ("triggerer", "False")):
        code = "import sys\n" + LOCAL_SETTINGS.replace("preload()", "print(True)") + "\nelse: print(False)"
        result = run(code, argument)
        assert result.stdout.split() == [expected], result.stderr


def test_a_library_that_cannot_be_imported_is_reported_and_no_obstacle() -> None:
    assert preload(("json", "no_such_library")) == ["no_such_library"]


def test_tensorflow_is_never_preloaded() -> None:
    assert not [name for name in LIBRARIES if name.split(".")[0] in {"tensorflow", "keras", "ai_edge_litert"}]
