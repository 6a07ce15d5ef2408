"""Word vectors trained on the documents at hand."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from include.features.text import TextEncoder
from include.settings import PROJECT_ROOT
from tests.features.text.encoders import fit

TOPICS = ("champagne brut reims bubbles cuvee grapes", "watch analog strap dial quartz steel")


def documents() -> list[str]:
    """Four hundred documents of four words of one topic each, the topics in turn."""
    chooser = np.random.default_rng(0)
    return [" ".join(chooser.choice(TOPICS[number % 2].split(), 4)) for number in range(400)]


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return fit(documents(), "word-vectors", dimensions=12)


def test_words_said_together_are_near(encoder: TextEncoder) -> None:
    champagne, bubbles, watch, dial = encoder.encode(["champagne", "bubbles", "watch", "dial"])
    assert min(champagne @ bubbles, watch @ dial) > max(champagne @ watch, champagne @ dial, bubbles @ dial)


def test_a_text_without_a_known_word_has_a_vector_of_zeros(encoder: TextEncoder) -> None:
    assert not encoder.encode(["", "lentils", "!"]).any()


def test_another_process_with_another_hash_seed_trains_the_same_vectors(encoder: TextEncoder) -> None:
    code = (
        "from tests.features.text.encoders import fit; "
        "from tests.features.text.test_word_vectors import documents; "
        "print(fit(documents(), 'word-vectors', dimensions=12).identity)"
    )
    environment = os.environ | {"PYTHONHASHSEED": "42"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT_ROOT, env=environment, check=True
    )
    assert done.stdout.strip() == encoder.identity


def test_another_seed_gives_other_vectors(encoder: TextEncoder) -> None:
    other = fit(documents(), "word-vectors", dimensions=12, seed=1)
    assert other.identity != encoder.identity
