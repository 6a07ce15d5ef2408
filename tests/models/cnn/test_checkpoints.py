"""Checkpoints that are being removed are none."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from include.models.cnn import checkpoints as module
from include.models.cnn.checkpoints import Checkpoints, TrainingState


def test_checkpoints_that_were_half_removed_when_the_process_was_killed_are_not_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "checkpoints"
    checkpoints = Checkpoints(folder)
    epoch = folder / "epoch-000001"
    epoch.mkdir(parents=True)
    (epoch / "state.json").write_text(json.dumps(asdict(TrainingState("of these photos"))))
    assert checkpoints.read_state("of these photos") is not None

    def killed(path: Path, **_options: Any) -> None:
        if path.exists():
            (path / "epoch-000001" / "state.json").unlink()
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module.shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            checkpoints.clear()
    assert checkpoints.read_state("of other photos") is None

    epoch.mkdir(parents=True)
    checkpoints.clear()
    assert list(tmp_path.iterdir()) == []
