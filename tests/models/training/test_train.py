from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from include.errors import ConfigurationError
from include.features.text import document
from include.models.classifier.recipe import Recipe
from include.models.data.dataset import TrainingSet, prepare_examples
from include.models.data.label_list import take_rows
from include.models.training.report import TrainingReport
from include.models.training.train import assign_folds, require_whole_groups, train
from include.models.version.artefact import Artefact
from include.pipeline.training.options import training_options
from include.schema import text_hash
from include.settings import Settings
from include.sources.catalogue import open_catalogue
from include.taxonomy import load_taxonomy
from tests.models.conftest import VOCABULARY, draw_training_set


def classify(artefact, texts: list[str]):
    documents = [document(text, None, None, None) for text in texts]
    vectors = artefact.text_encoder.encode(documents)
    dimensions = artefact.photo_classifier.dimensions if artefact.photo_classifier else 0
    photos = np.full((len(texts), dimensions), np.nan, dtype=np.float32)
    return artefact.predict(vectors, np.array([bool(text) for text in documents]), photos, np.zeros(len(texts), bool))


def test_the_report_has_every_modality_with_its_spread(trained):
    report = trained[1]
    assert list(report.scores) == ["text", "photo", "fusion", "overall"]
    assert report.scores["text"].accuracy > 0.8
    assert report.scores["photo"].accuracy > 0.8
    assert report.scores["text"].accuracy_spread > 0
    assert report.scores["overall"].examples == 120
    assert set(report.labels) == set(VOCABULARY)
    assert report.examples_by_origin["watches"] == {"catalogue": 30}


def test_accepted_predictions_reach_the_target_out_of_fold(trained, options):
    for modality in ("text", "fusion"):
        scores = trained[1].scores[modality]
        assert scores.coverage > 0.3
        assert scores.accepted_precision >= options.target_precision


def test_the_report_reads_as_text_and_json_and_figures(trained):
    report = trained[1]
    assert "champagne" in report.to_text()
    assert json.loads(report.to_json())["scores"]["text"]["examples"] == 120
    metrics = report.metrics()
    assert metrics["text_accuracy"] == report.scores["text"].accuracy
    assert all(isinstance(value, float) for value in metrics.values())
    assert all(isinstance(value, str) for value in report.params().values())


def test_rows_that_were_left_out_stand_in_the_report_and_come_back_from_its_json(training_set, options):
    twice = take_rows(training_set, np.r_[np.arange(len(training_set.labels)), 0, 1])
    _, report = train(twice, options)
    assert report.rejected == {"duplicate": 2}
    assert TrainingReport.from_json(report.to_json()) == report


def test_training_again_gives_the_same_model(trained, training_set, options):
    artefact, report = trained
    again, second = train(training_set, options)
    assert np.array_equal(again.text_classifier.weights, artefact.text_classifier.weights)
    assert np.array_equal(again.photo_classifier.weights, artefact.photo_classifier.weights)
    assert again.text_encoder.identity == artefact.text_encoder.identity
    assert second.scores == report.scores


def test_what_was_never_seen_as_a_photo_is_not_accepted_by_photo_alone(trained):
    artefact, report = trained
    assert len(artefact.photo_classifier.known) == 2 < len(artefact.labels)
    assert report.scores["photo"].coverage == 0


def test_with_photos_of_every_label_a_photo_alone_can_be_accepted_and_both_are_best(options):
    _, report = train(draw_training_set(40, photos_of=tuple(VOCABULARY)), options)
    assert report.scores["photo"].coverage > 0.3
    best_alone = max(report.scores["photo"].accuracy, report.scores["text"].accuracy)
    assert report.scores["fusion"].accuracy >= best_alone - 0.02


def test_a_training_set_without_photos_gives_a_text_model(options):
    artefact, report = train(draw_training_set(photos_of=()), options)
    assert artefact.photo_classifier is None
    assert list(report.scores) == ["text", "overall"]
    artefact.check_image_encoder("any encoder")


def test_a_training_set_without_texts_is_a_clear_error(options):
    dataset = draw_training_set(photos_of=tuple(VOCABULARY))
    silent = replace(dataset, documents=[""] * len(dataset.labels), text_hashes=[None] * len(dataset.labels))
    with pytest.raises(ConfigurationError, match="without a single word"):
        train(silent, options)


def test_folds_keep_content_groups_whole(options):
    dataset = draw_training_set()
    shared = [f"shared {number // 3}" for number in range(len(dataset.labels))]
    photos = [text_hash(name) for name in shared]
    dataset = replace(dataset, photo_hashes=photos, image_vectors=np.ones_like(dataset.image_vectors))
    examples = prepare_examples(dataset, options.examples_needed)
    assert len(np.unique(examples.groups)) < len(examples)
    folds = assign_folds(examples, options)
    require_whole_groups(examples.groups, folds)
    assert set(folds.tolist()) == set(range(options.folds))


def test_a_split_group_is_noticed():
    with pytest.raises(AssertionError, match="both sides"):
        require_whole_groups(np.array([1, 1]), np.array([0, 1]))


def test_labels_shuffled_teach_nothing_and_the_report_says_so(options):
    dataset = draw_training_set(photos_of=())
    shuffled = np.random.default_rng(0).permutation(dataset.labels).tolist()
    _, report = train(replace(dataset, labels=shuffled), options)
    assert report.scores["text"].accuracy < 0.45
    assert report.scores["text"].coverage == 0


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(text_heads=("svm", "lda"), photo_heads=("logistic",), fusion="joint"),
        Recipe(text_heads=("rbf",), photo_scaling="root", fusion="text", calibration="isotonic", text_dimensions=12),
        Recipe(photo_heads=("lda", "rbf_svm"), photo_scaling="none", fusion="late", encoder_documents_per_label=10),
    ],
)
def test_every_recipe_trains_and_comes_back_from_its_folder(options, tmp_path, recipe):
    dataset = draw_training_set(20, photos_of=tuple(VOCABULARY))
    artefact, report = train(dataset, options, recipe)
    assert artefact.policy.fusion_used == recipe.fusion
    assert report.scores["text"].accuracy > 0.6
    artefact.save(tmp_path)
    again = Artefact.load(tmp_path)
    assert again.recipe == recipe
    vectors = artefact.text_encoder.encode(dataset.documents)
    there, photos = np.ones(len(vectors), dtype=bool), ~np.isnan(dataset.image_vectors).any(axis=1)
    before, after = (model.predict(vectors, there, dataset.image_vectors, photos) for model in (artefact, again))
    assert np.array_equal(before.probabilities, after.probabilities)
    assert np.array_equal(before.is_accepted, after.is_accepted)


def test_the_recipe_is_part_of_what_a_model_is_known_by(training_set, options):
    assert training_set.fingerprint(options) == training_set.fingerprint(options, Recipe())
    other = Recipe(text_regularisation=1.0)
    assert training_set.fingerprint(options) != training_set.fingerprint(options, other)


def test_the_report_says_what_answers_for_text_and_photo_and_why(trained):
    details = trained[1].details
    assert details["fusion_used"] in ("text", "photo", "late", "joint")
    assert "alone" in details["fusion_reason"]


def test_noise_is_unfamiliar_and_for_review(options):
    dataset = draw_training_set(40, photos_of=tuple(VOCABULARY))
    artefact, _ = train(dataset, options)
    chance = np.random.default_rng(1)
    text = 3 * chance.normal(size=(40, artefact.text_encoder.dimensions)).astype(np.float32)
    photo = 30 * chance.normal(size=(40, dataset.image_vectors.shape[1])).astype(np.float32)
    yes, no = np.ones(40, dtype=bool), np.zeros(40, dtype=bool)
    for has_text, has_photo in ((yes, no), (yes, yes)):
        found = artefact.predict(text, has_text, photo, has_photo)
        assert found.is_unfamiliar.mean() > 0.5
        assert not (found.is_unfamiliar & found.is_accepted).any()


def test_nearly_all_held_out_products_are_familiar(options):
    options = replace(options, familiar_share=0.95)
    dataset = draw_training_set(40)
    artefact, _ = train(dataset, options)
    vectors = artefact.text_encoder.encode(dataset.documents)
    no_photo = np.zeros(len(vectors), dtype=bool)
    found = artefact.predict(vectors, ~no_photo, dataset.image_vectors, no_photo)
    assert found.is_unfamiliar.mean() <= 0.1
    everyone = train(dataset, replace(options, familiar_share=1.0))[0]
    assert not everyone.predict(vectors, ~no_photo, dataset.image_vectors, no_photo).is_unfamiliar.any()


class TestRealCatalogue:
    """The Flipkart catalogue, whose departments are known and whose photos are hard."""

    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls) -> Settings:
        return Settings(training_folds=3)

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, shared_data: Path, settings: Settings):
        from include.pipeline.encoders import configured_image_encoder

        folder = shared_data / "flipkart"
        weights = shared_data / "weights" / "coral_mobilenet_v1_1.0_224_quant_embedding_extractor.tflite"
        encoder = configured_image_encoder(str(weights), settings)
        catalogue = open_catalogue(folder / "flipkart_com-ecommerce_sample.csv")
        products = [product for product in catalogue.read() if hasattr(product, "name")]
        paths = [folder / "images" / f"{product.native_id}.jpg" for product in products]
        contents = [path.read_bytes() if path.exists() else None for path in paths]
        present = [number for number, content in enumerate(contents) if content is not None]
        vectors = np.full((len(products), encoder.dimensions), np.nan, dtype=np.float32)
        vectors[present] = encoder.encode([contents[number] for number in present])
        documents = [document(p.name, p.brand, p.description, p.ingredients) for p in products]
        taxonomy = load_taxonomy()
        dataset = TrainingSet(
            product_ids=[product.product_id for product in products],
            documents=documents,
            text_hashes=[text_hash(text) if text else None for text in documents],
            photo_hashes=[content and hashlib.sha256(content).hexdigest() for content in contents],
            image_vectors=vectors,
            labels=[taxonomy.label_from_catalogue(product.source_category) for product in products],
            origins=["catalogue"] * len(products),
            image_encoder_spec=str(weights),
            image_encoder_identity=encoder.identity,
        )
        return train(dataset, training_options(settings))

    def test_it_is_as_good_as_promised(self, model):
        scores = model[1].scores
        assert scores["overall"].examples >= 840
        assert scores["text"].accuracy >= 0.93
        assert scores["photo"].accuracy >= 0.80
        assert scores["fusion"].accuracy >= scores["text"].accuracy - 0.01
        assert scores["fusion"].calibration_error <= 0.05
        assert scores["fusion"].coverage >= 0.75
        assert scores["fusion"].accepted_precision >= 0.98

    def test_upper_case_changes_no_label_and_boilerplate_gets_no_wrong_one_accepted(self, model):
        texts = ["Titan analog leather watch for men", "HP laptop keyboard adapter", "cotton double bedsheet floral"]
        labels = ["watches", "computers", "home_furnishing"]
        assert classify(model[0], texts).labels == labels
        assert classify(model[0], [text.upper() for text in texts]).labels == labels
        found = classify(model[0], [f"Buy {text} online at best price" for text in texts])
        for label, given, decision in zip(labels, found.labels, found.decisions, strict=True):
            assert given == label or decision == "review"

    def test_groceries_are_unfamiliar_to_a_model_of_departments(self, model, shared_data):
        lines = (shared_data / "openfoodfacts" / "products.jsonl").read_text(encoding="utf-8").splitlines()[:300]
        records = [json.loads(line) for line in lines]
        texts = [f"{record['product_name']} {record.get('ingredients_text') or ''}" for record in records
                 if record.get("product_name")]  # fmt: skip
        found = classify(model[0], texts)
        assert found.is_unfamiliar.mean() > 0.8
        assert found.is_accepted.mean() < 0.01

    def test_photos_of_fruit_are_not_accepted_as_watches(self, model, shared_data):
        from include.pipeline.encoders import configured_image_encoder

        paths = sorted((shared_data / "grocery").rglob("*.jpg"))[:600:10]
        vectors = configured_image_encoder(model[0].image_encoder_spec, Settings()).encode(
            [p.read_bytes() for p in paths]
        )
        there = np.ones(len(vectors), dtype=bool)
        text = np.zeros((len(vectors), model[0].text_encoder.dimensions), dtype=np.float32)
        found = model[0].predict(text, ~there, vectors, there)
        assert found.is_unfamiliar.mean() > 0.3
        assert found.is_accepted.mean() < 0.05

    def test_words_it_never_saw_are_for_review(self, model):
        assert classify(model[0], ["xyzzy", ""]).decisions == ["review", "review"]
