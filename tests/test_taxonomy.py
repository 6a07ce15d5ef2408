from __future__ import annotations

import gzip
import json
import unicodedata
from functools import lru_cache
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from include.errors import ConfigurationError
from include.models.data.label_list import label_list_part, read_label_list
from include.plain_words import plain_words
from include.taxonomy import TAXONOMY_FILE, load_taxonomy, parse_taxonomy
from tests.hidden_spellings import HIDDEN_SPELLINGS
from tests.patterns.growth import grows_too_fast

TAXONOMY = load_taxonomy()
FLIPKART = (
    "Home Furnishing", "Baby Care", "Watches", "Home Decor & Festive Needs", "Kitchen & Dining",
    "Beauty and Personal Care", "Computers",
)  # fmt: skip


def test_the_label_space_is_the_agreed_one():
    assert TAXONOMY.labels == (
        "home_furnishing", "baby_care", "watches", "home_decor", "kitchen_dining", "beauty", "computers",
        "champagne", "sparkling_wine", "still_wine", "spirit", "vinegar", "sauce", "chocolate", "biscuit",
        "dessert", "cheese_charcuterie", "juice", "prepared_dish", "other_food",
    )  # fmt: skip
    departments = [TAXONOMY.department(label) for label in TAXONOMY.labels]
    assert departments == [*FLIPKART, *["Fine Grocery"] * 13]


def test_an_unknown_label_is_named_with_the_known_ones():
    with pytest.raises(ConfigurationError, match=r"'cider'.*champagne"):
        TAXONOMY.department("cider")


@pytest.mark.parametrize("label", TAXONOMY.labels)
def test_a_plain_catalogue_may_use_label_ids_and_display_names(label):
    assert TAXONOMY.label_from_catalogue(label) == label
    assert TAXONOMY.label_from_catalogue(TAXONOMY.display_name(label)) == label


@pytest.mark.parametrize(
    ("category", "label"),
    [
        ("Baby Care >> Baby Bath & Skin >> Baby Bath Towels", "baby_care"),
        ("Jus d'orange 100% pur jus", "juice"),
        ("Petit-déjeuners", "other_food"),
        ("SOUPES", "prepared_dish"),
        ("Garden", None),
        ("", None),
        (None, None),
    ],
)
def test_catalogue_categories_map_by_their_first_level(category, label):
    assert TAXONOMY.label_from_catalogue(category) == label


@pytest.mark.parametrize(
    ("tags", "label"),
    [
        (["en:beverages", "en:alcoholic-beverages", "en:wines", "en:sparkling-wines", "en:champagnes"], "champagne"),
        (["en:wines", "en:white-wines", "en:sparkling-wines", "en:french-champagnes", "en:champagnes"], "champagne"),
        (["en:wines", "en:sparkling-wines", "en:champagnes", "en:russian-champagne"], "sparkling_wine"),
        (["en:alcoholic-beverages", "en:wines", "en:red-wines"], "still_wine"),
        (["en:condiments", "en:vinegars", "en:wine-vinegars"], "vinegar"),
        (["en:condiments", "en:sauces", "en:mustards"], "sauce"),
        (["en:plant-based-foods", "en:legumes", "en:lentils", "fr:lentilles-rosees-de-champagne"], "other_food"),
        (["en:distilled-beverages", "en:eaux-de-vie", "fr:marc-de-champagne"], "spirit"),
        (["en:plant-based-foods", "en:meals", "en:soups"], "prepared_dish"),
        (["en:meals", "en:plant-based-foods", "en:plant-based-meals"], "prepared_dish"),
        (["en:snacks", "en:sweet-snacks", "en:biscuits-and-cakes", "en:biscuits"], "biscuit"),
        (["en:beverages"], None),
        (["en:never-heard-of"], None),
        ([], None),
        (None, None),
    ],
)
def test_the_deepest_mapped_tag_decides(tags, label):
    assert TAXONOMY.label_from_tags(tags) == label


class TestRealCategoryGraph:
    @pytest.fixture(scope="class")
    @classmethod
    def parents(cls, shared_data: Path) -> dict[str, list[str]]:
        with gzip.open(shared_data / "openfoodfacts" / "categories.full.json.gz") as stream:
            nodes = json.load(stream)
        return {tag: [parent for parent in node.get("parents", []) if parent in nodes] for tag, node in nodes.items()}

    @pytest.fixture(scope="class")
    @classmethod
    def listing(cls, parents):
        """A product's tag list as the source makes it: the category with all its parents, general to specific."""

        @lru_cache(None)
        def ancestors(tag: str) -> frozenset[str]:
            return frozenset({tag}).union(*(ancestors(parent) for parent in parents[tag]))

        @lru_cache(None)
        def depth(tag: str) -> int:
            return 1 + max((depth(parent) for parent in parents[tag]), default=0)

        return lambda tag, reverse=False: sorted(sorted(ancestors(tag), reverse=reverse), key=depth)

    def test_every_tag_in_the_file_exists(self, parents):
        document = yaml.safe_load(TAXONOMY_FILE.read_text(encoding="utf-8"))
        written = {entry["tag"] for entry in document["overriding_tags"]} | set(document["feed"]["tags"])
        for section in ("source_tags", "fallback_tags"):
            written |= {tag for tags in document[section].values() for tag in tags}
        assert written - set(parents) == set()

    def test_no_label_depends_on_the_order_of_tags_of_the_same_depth(self, parents, listing):
        unstable = [
            tag
            for tag in parents
            if TAXONOMY.label_from_tags(listing(tag)) != TAXONOMY.label_from_tags(listing(tag, reverse=True))
        ]
        assert unstable == []

    def test_nearly_every_category_of_food_has_a_label(self, parents, listing):
        labelled = sum(TAXONOMY.label_from_tags(listing(tag)) is not None for tag in parents)
        assert labelled / len(parents) > 0.95

    def test_the_champagne_branch_and_its_hard_negatives(self, parents, listing):
        labels = {tag: TAXONOMY.label_from_tags(listing(tag)) for tag in parents}
        branch = [tag for tag in parents if "en:champagnes" in listing(tag) and tag != "en:russian-champagne"]
        assert len(branch) >= 10
        assert {labels[tag] for tag in branch} == {"champagne"}
        assert labels["en:russian-champagne"] == "sparkling_wine"
        assert labels["fr:marc-de-champagne"] == labels["fr:ratafia-de-champagne"] == "spirit"
        assert labels["fr:lentilles-rosees-de-champagne"] == "other_food"
        assert labels["fr:volailles-de-la-champagne"] == "other_food"


@pytest.mark.parametrize(
    ("name", "ingredients", "label"),
    [
        # the wine
        ("Champagne", None, "champagne"),
        ("Champagne Brut Réserve", "Champagne (contient _sulfites_).", "champagne"),
        ("CHAMPAGNE VEUVE CLICQUOT PONSARDIN BRUT", None, "champagne"),
        ("Moët & Chandon Brut Impérial (magnum)", None, "champagne"),
        ("37,5CL Champagne Brut Grande Reserve Nicolas Feuillatte", None, "champagne"),
        ("Cordon Rouge", "Champagne (contient _sulfites_)", "champagne"),
        ("Magnum De Champagne Deutz Classic Brut 150 CL Avec étui", None, "champagne"),
        ("Champagne Moët & Chandon Nectar Impérial", None, "champagne"),
        ("Champagne Charpentier Tradition", None, "champagne"),
        # what is made with it, named after it, or comes from the same country
        ("Vinaigre de champagne", None, "vinegar"),
        ("O, Champagne Vinegar, Pomegranate", "Champagne wine vinegar", "vinegar"),
        ("Simply Dressed, Champagne Vinaigrette", "Water, canola oil", "vinegar"),
        ("White Oak Aged Champagne", "Champagne vinegar", "vinegar"),
        ("Champagneressig", None, "vinegar"),
        ("Moutarde au Champagne", None, "sauce"),
        ("Champagner-Senf", None, "sauce"),
        ("Creamy sauce with champagne", None, "sauce"),
        ("Red Chili Piri Piri", "Roasted red peppers, champagne vinegar", "sauce"),
        ("Woeber's, Reserve Champagne Dill Mustard", "Water, mustard seed", "sauce"),
        ("Amory, Champagne Ketchup", "Water, tomato paste", "sauce"),
        ("Marc de Champagne", None, "spirit"),
        ("Ratafia de Champagne", None, "spirit"),
        ("Cognac Grande Champagne XO", None, "spirit"),
        ("Rare And Delicate Champagne Cognac", None, "spirit"),
        ("Crème de cassis", "Sirop de glucose, cassis, alcool. 1/3 de crème, 2/3 de champagne", "spirit"),
        ("Lentilles rosées de Champagne", None, "other_food"),
        ("Lentillons de la Champagne", "Lentillons", "other_food"),
        ("Miel de la Champagne pouilleuse", None, "other_food"),
        ("L'œuf gros de Champagne Ardenne, Lorraine", None, "other_food"),
        ("Biscuits roses de Reims", "Farine de blé, sucre", "biscuit"),
        ("Sablé champenois", "Farine de blé, sucre, beurre, champagne", "biscuit"),
        ("Chutney de griotte au champagne", None, "other_food"),
        ("Cœur d'Amour", "Fruits 60 %, sucre de canne, champagne 0,44 %, gélifiant : pectine", "other_food"),
        ("Filets de maquereaux Sauce Moutarde", "Maquereaux, vinaigre de champagne", "other_food"),
        ("Salad", "Spinach, chicken, champagne vinaigrette", "prepared_dish"),
        ("Bouchons de Champagne Abbaye d'Igny", "Chocolat : cacao, sucre, beurre de cacao", "chocolate"),
        ("Truffes Au Marc De Champagne", "Sucre, beurre de cacao, lait", "chocolate"),
        ("Coffret Truffe Fine Champagne", None, "chocolate"),
        ("Champagner-Trüffel", None, "chocolate"),
        ("Royal des lys", "Sucre, pâte de cacao, sucre inverti, cognac fine champagne", "chocolate"),
        ("Champagne Bears", None, "chocolate"),
        ("Choucroute au champagne", None, "prepared_dish"),
        ("2 coquilles St-Jacques sauce au Champagne", None, "prepared_dish"),
        ("Terrine de chevreuil a la fine champagne", None, "cheese_charcuterie"),
        ("Foie Gras De Canard Aux 2 Poivres Et Champagne", None, "cheese_charcuterie"),
        ("Champagner Terrine", "Viande de porc, gelée au Champagne", "cheese_charcuterie"),
        ("Terrine truffée au champagne", None, "cheese_charcuterie"),
        ("Marc de Champagne Christmas Pudding", "VINE FRUITS, FLOUR", "dessert"),
        ("Marc de Champagne - Sorbet", None, "dessert"),
        ("Cola Champagne", "Carbonated water, sugar", "juice"),
        # other wines
        ("Cava Brut", None, "sparkling_wine"),
        ("Crémant d'Alsace", None, "sparkling_wine"),
        ("Korbel California Champagne Brut", None, "sparkling_wine"),
        ("Prosecco", None, "sparkling_wine"),
        ("Vin rouge", None, "still_wine"),
        ("Sancerre 2016", None, "still_wine"),
        ("Coteaux Champenois Rouge", None, "still_wine"),
        # no match is better than a wrong one
        ("Prosecco Mallows", None, None),
        ("Marc de Champagne", "_Lait_ écrémé réhydraté, sucre", None),
        ("Marc de Champagne flavour", None, None),
        ("Gaufrettes", "Sucre, pâte de cacao, farine de blé", "biscuit"),
        ("Piri piri", None, None),
        ("Fraises au champagne", None, None),
        ("Pringles Prosecco et Poivre rose", None, None),
        ("Champagne coloured leather handbag", None, None),
        ("noël en champagne", "thé noir Ceylan", None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_written_rules_tell_the_wine_from_what_is_named_after_it(name, ingredients, label):
    assert TAXONOMY.label_from_rules(name, ingredients, None) == label


@given(st.text(), st.none() | st.text(), st.none() | st.text())
def test_rules_and_feed_take_any_text(name, ingredients, brand):
    assert TAXONOMY.label_from_rules(name, ingredients, brand) in {None, *TAXONOMY.labels}
    assert TAXONOMY.is_champagne_product(name, ingredients, brand) in {True, False}


names = st.sampled_from(
    ["Champagne Brut Réserve", "Crème de cassis", "Vin rouge de Bordeaux", "Épinards", "Lentilles rosées", "Thé vert"]
)


@given(names)
def test_upper_case_and_missing_accents_change_no_label(name):
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    expected = TAXONOMY.label_from_rules(name, None, None)
    assert {TAXONOMY.label_from_rules(variant, None, None) for variant in (name.upper(), bare, f"  {name}!")} == {
        expected
    }


@given(st.sampled_from(["Champagne", "Champagne Brut", "Cava", "Vin rouge", "Cognac", "Taittinger Brut"]))
def test_a_vinegar_of_any_wine_is_a_vinegar(wine):
    assert TAXONOMY.label_from_rules(f"Vinaigre de {wine}", None, None) == "vinegar"


class TestRealRows:
    @pytest.fixture(scope="class")
    @classmethod
    def rows(cls, shared_data: Path) -> list[dict]:
        with (shared_data / "openfoodfacts" / "products.jsonl").open(encoding="utf-8") as stream:
            return [row for row in map(json.loads, stream) if row["_extract"] == "champagne_rows"]

    def test_all_champagne_rows_belong_to_the_feed(self, rows):
        outside = [
            r["code"] for r in rows if not TAXONOMY.is_champagne_product(r["product_name"], r.get("ingredients_text"))
        ]
        assert outside == []

    def test_the_rules_label_most_of_them(self, rows):
        labels = [TAXONOMY.label_from_rules(r["product_name"], r.get("ingredients_text"), None) for r in rows]
        assert len(rows) == 557
        assert sum(label is not None for label in labels) >= 480
        assert labels.count("champagne") >= 220

    def test_nothing_with_food_in_it_is_called_champagne(self, rows):
        food = ("sucre", "sugar", "zucker", "lait", "milk", "vinegar", "mustard", "farine", "chocolat", "viande")
        called = [
            r["product_name"]
            for r in rows
            if TAXONOMY.label_from_rules(r["product_name"], r.get("ingredients_text"), None) == "champagne"
            and any(
                word in plain_words(f"{r.get('ingredients_text')} {r['product_name']}")
                for word in food
                if r.get("ingredients_text")
            )
        ]
        assert called == []


class TestHandReadList:
    """The rules against the list in `tests/data`, which was read without them."""

    @pytest.fixture(scope="class")
    @classmethod
    def found(cls, shared_data: Path) -> list[tuple[str, str, str | None]]:
        """Half of the list, label read, label by rule: of every listed product."""
        labels = read_label_list(Path(__file__).parent / "data" / "champagne_labels.csv")
        with (shared_data / "openfoodfacts" / "products.jsonl").open(encoding="utf-8") as stream:
            rows = {row["code"]: row for row in map(json.loads, stream)}
        return [
            (
                label_list_part(code),
                label,
                TAXONOMY.label_from_rules(rows[code]["product_name"], rows[code].get("ingredients_text"), None),
            )
            for code, label in labels.items()
        ]

    @pytest.mark.parametrize("part", ["development", "test"])
    def test_what_the_rules_say_is_right(self, found, part):
        wrong = [(read, by_rule) for half, read, by_rule in found if half == part and by_rule not in (None, read)]
        assert len(wrong) <= 1

    @pytest.mark.parametrize("part", ["development", "test"])
    def test_the_rules_know_nearly_every_champagne(self, found, part):
        champagne = [by_rule for half, read, by_rule in found if half == part and read == "champagne"]
        assert champagne.count("champagne") >= 0.95 * len(champagne)


@pytest.mark.parametrize(
    ("name", "ingredients", "categories", "belongs"),
    [
        ("CHAMPAGNE", None, (), True),
        ("Salad", "dressing (champagne vinegar)", (), True),
        ("Canard Duchêne", None, "Boissons, Vins effervescents, Champagnes", True),
        ("Tsarine", None, ("en:beverages", "en:wines", "en:sparkling-wines"), True),
        ("Brut", None, ("fr:champagnes-bruts",), True),
        ("Soupe de champignons", "champignons", ("en:soups",), False),
        (None, None, None, False),
    ],
)
def test_the_feed_takes_in_the_wine_and_what_is_made_with_it(name, ingredients, categories, belongs):
    assert TAXONOMY.is_champagne_product(name, ingredients, categories) is belongs


@pytest.mark.parametrize("spelling", HIDDEN_SPELLINGS)
def test_the_feed_sees_champagne_however_it_is_hidden(spelling):
    assert TAXONOMY.is_champagne_product(f"Truffes au {spelling}", None)
    assert TAXONOMY.is_champagne_product("Truffes", f"sucre, marc de {spelling} (5 %)")
    assert TAXONOMY.is_champagne_product("Truffes", None, f"Chocolats, {spelling}")
    assert TAXONOMY.label_from_catalogue("Fine Grocery >> x") == TAXONOMY.label_from_catalogue("Fine Groc&shy;ery >> x")


def test_the_feed_takes_time_in_proportion_to_the_text():
    for piece in ("champ", "champagn e", "&#", "é", "ｃ", "шампанско", "\u200b"):
        for work in (lambda text: TAXONOMY.is_champagne_product(text, text, (text,)), TAXONOMY.label_from_catalogue):
            assert grows_too_fast(work, lambda n, piece=piece: piece * n) is None


def test_a_changed_file_has_another_identity():
    content = TAXONOMY_FILE.read_text(encoding="utf-8")
    assert parse_taxonomy(content).identity == TAXONOMY.identity
    assert parse_taxonomy(content.replace("name: Champagne,", "name: Champagnes,")).identity != TAXONOMY.identity


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"en:russian-champagne", label: sparkling_wine', '"en:russian-champagne", label: cider', "cider"),
        ("feed:\n", "fed:\n", "feed"),
        ("words: [champagne, champagnes,", "words: [vin de champagne,", "must be one word"),
        ("    ends:\n", "    ending:\n", "ending"),
        ("labels:", "labels: [", "cannot be read"),
    ],
)
def test_a_mistake_in_the_file_is_named(before, after, message):
    content = TAXONOMY_FILE.read_text(encoding="utf-8")
    assert before in content
    with pytest.raises(ConfigurationError, match=message):
        parse_taxonomy(content.replace(before, after))
