from __future__ import annotations

import numpy as np
import pytest

from include.models.classifier.linear import log_sum_exp, softmax


def test_softmax_survives_huge_logits():
    assert np.allclose(softmax(np.array([[1e4, 0.0], [-1e4, -1e4]])), [[1, 0], [0.5, 0.5]])


def test_log_sum_exp_survives_huge_logits():
    assert log_sum_exp(np.array([[1e4, 0.0], [0.0, 0.0]])) == pytest.approx([1e4, np.log(2)])
