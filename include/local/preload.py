"""Heavy libraries imported once, in the scheduler, before it forks its workers.

Each Airflow task is a process of its own and pays for its imports again; forked from a scheduler that has
imported them, it starts with them. Only what survives a fork belongs here: a library that starts threads
when imported does not (TensorFlow), and neither does one that opens connections.
"""

from __future__ import annotations

import importlib
import logging
import time

logger = logging.getLogger(__name__)

LIBRARIES = (
    "pandas",
    "pyarrow.parquet",
    "pyarrow.dataset",
    "scipy.sparse.linalg",
    "sklearn.linear_model",
    "sklearn.feature_extraction.text",
    "sklearn.decomposition",
    "skimage.feature",
    "spacy",
    "onnxruntime",
    "great_expectations",
    "mlflow",
    "mlflow.tracking",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "sqlalchemy",
    "psycopg",
    "pydantic_settings",
    "requests",
    "jinja2.ext",
    "pyrate_limiter",
    "PIL.Image",
)
NOISY_AT_IMPORT = ("great_expectations", "mlflow", "numba")


def preload(libraries: tuple[str, ...] = LIBRARIES) -> list[str]:
    """Import each library that is installed; the names of those that are not, or that failed.

    Never raises: without a library here, a task imports it for itself.
    """
    begin = time.monotonic()
    failed = []
    for name in NOISY_AT_IMPORT:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in libraries:
        try:
            importlib.import_module(name)
        except Exception as error:
            failed.append(name)
            logger.warning("could not preload %s: %s", name, error)
    logger.info("preloaded %d libraries in %.1f s", len(libraries) - len(failed), time.monotonic() - begin)
    return failed
