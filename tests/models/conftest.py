"""A small drawn training set and the model trained on it, shared by the tests of this package."""

from __future__ import annotations

import numpy as np
import pytest

from include.models.data.dataset import TrainingSet
from include.models.data.training_options import TrainingOptions
from include.models.training.report import TrainingReport
from include.models.training.train import train
from include.models.version.artefact import Artefact
from include.pipeline.training.options import training_options
from include.schema import text_hash
from include.settings import Settings

VOCABULARY = {
    "champagne": "champagne brut rose cuvee millesime reims epernay bouteille blanc pinot",
    "vinegar": "vinaigre vinaigrette balsamique acide dressing cidre salade huile estragon echalote",
    "watches": "montre analogue watch strap dial leather quartz steel waterproof chronograph",
    "chocolate": "chocolat praline cacao truffe lait noir ganache noisette bonbon tablette",
}
"""Labels of the drawn set and the words their products are named with."""

DIMENSIONS = 12


def draw_training_set(
    per_label: int = 30, seed: int = 0, photos_of: tuple[str, ...] = ("watches", "chocolate")
) -> TrainingSet:
    """Products with three words of their label and two of any label's; some with a drawn photo."""
    chance = np.random.default_rng(seed)
    everything = " ".join(VOCABULARY.values()).split()
    documents, labels, vectors, photos = [], [], [], []
    for position, (label, vocabulary) in enumerate(VOCABULARY.items()):
        for number in range(per_label):
            words = [*chance.choice(vocabulary.split(), 3, replace=False), *chance.choice(everything, 2), f"no{number}"]
            documents.append(" ".join(words))
            labels.append(label)
            has_photo = label in photos_of and number % 5 != 0
            centre = np.zeros(DIMENSIONS) + 3.0 * (np.arange(DIMENSIONS) == position)
            vectors.append(chance.normal(centre, 1.0) if has_photo else np.full(DIMENSIONS, np.nan))
            photos.append(text_hash(f"photo {label} {number}") if has_photo else None)
    return TrainingSet(
        product_ids=[f"drawn:{number}" for number in range(len(documents))],
        documents=documents,
        text_hashes=[text_hash(document) for document in documents],
        photo_hashes=photos,
        image_vectors=np.array(vectors, dtype=np.float32),
        labels=labels,
        origins=["catalogue"] * len(labels),
        image_encoder_spec="classical",
        image_encoder_identity="drawn-1",
    )


@pytest.fixture(scope="session")
def options() -> TrainingOptions:
    return training_options(Settings(text_dimensions=24, training_folds=3, target_precision=0.85))


@pytest.fixture(scope="session")
def training_set() -> TrainingSet:
    return draw_training_set()


@pytest.fixture(scope="session")
def trained(training_set: TrainingSet, options: TrainingOptions) -> tuple[Artefact, TrainingReport]:
    return train(training_set, options)


@pytest.fixture(scope="session")
def artefact(trained: tuple[Artefact, TrainingReport]) -> Artefact:
    return trained[0]
