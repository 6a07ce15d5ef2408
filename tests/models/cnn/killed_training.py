"""Train in this process and kill the process, as `kill -9` would, at a chosen call.

    python -m tests.models.cnn.killed_training STATE_DIR FOLDER NETWORK TARGET NTH

Exit code 0 means that the training ended without the call.
"""

from __future__ import annotations

import sys
from pathlib import Path

from include.models.cnn.fitting import fit_cnn
from include.settings import Settings
from include.warehouse.lake import Lake
from tests.models.cnn.drawn_photos import draw_lake, own_network_recipe
from tests.pipeline.killed_step import kill_at


def main() -> None:
    state_dir, folder, network, target, nth = sys.argv[1:]
    settings = Settings(state_dir=Path(state_dir))
    lake = Lake(settings.lake_root)
    photos = draw_lake(lake, settings, per_label=16)
    kill_at(target, int(nth))
    fit_cnn(photos, own_network_recipe(Path(network)), Path(folder), lake, settings)


if __name__ == "__main__":
    main()
