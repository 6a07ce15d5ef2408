"""Run a search in this process and kill the process, as `kill -9` would, in the second fold of a chosen recipe.

python -m tests.models.search.killed_search STORAGE TRIALS NTH
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from include.models.classifier.recipe import Recipe
from include.models.search.search import RecipeScore
from tests.models.search.objectives import formula
from tests.models.search.test_search import search


def main() -> None:
    storage, trials, nth = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    judged = 0

    def deadly(recipe: Recipe, after_fold: Callable[[float], None]) -> RecipeScore:
        nonlocal judged
        judged += 1
        folds = 0

        def counted(value: float) -> None:
            nonlocal folds
            folds += 1
            if judged == nth and folds == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            after_fold(value)

        return formula(recipe, counted)

    search(storage, trials=trials, objective=deadly)


if __name__ == "__main__":
    main()
