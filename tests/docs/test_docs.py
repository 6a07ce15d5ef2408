"""What the pages say about commands, targets, settings, names and files is true.

Every test says how many references it expects to find at least: a search that finds nothing proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import PROJECT_ROOT
from tests.docs import references
from tests.docs.documents import Document, dag_pages, markdown_pages, page
from tests.docs.references import Found, setting_variables, source_files

SETTINGS_PAGE = "docs/settings.md"


def pages() -> list[Document]:
    return [*markdown_pages(), *dag_pages()]


def page_texts() -> list[tuple[str, str]]:
    """Markdown as (page, text): what stands in backticks may run over a line end, so lines are joined there."""
    return [(document.name, "\n".join(document.code)) for document in pages()]


def code_texts() -> list[tuple[str, str]]:
    """Code as (file, text), with texts that are split over two lines put together."""
    return [(name, re.sub(r"\"\s*\n\s*f?\"", "", text)) for name, text in source_files().items()]


def assert_right(found: Found, at_least: int) -> None:
    assert not found.wrong, "\n".join(found.wrong)
    assert len(found.references) >= at_least, found.references


def test_the_pages_are_found() -> None:
    names = {document.name for document in pages()}
    assert names >= {
        "README.md", "CHANGELOG.md", "docs/operations.md", "docs/settings.md", "docs/warehouse.md", "docs/lake.md",
        "docs/sources.md", "docs/decisions/README.md", "dags/champagne_daily.py", "dags/import_catalogue.py",
    }  # fmt: skip
    assert all(len(document.text) > 100 for document in pages())


def test_every_command_and_option_on_the_pages_exists() -> None:
    assert_right(references.commands(page_texts()), at_least=20)


def test_every_command_and_option_in_the_readme_exists() -> None:
    assert_right(references.commands([("README.md", "\n".join(page("README.md").code))]), at_least=3)


def test_every_command_that_messages_comments_and_the_makefile_name_exists() -> None:
    assert_right(references.commands(code_texts()), at_least=15)
    makefile = source_files()["Makefile"]
    assert_right(references.commands([("Makefile", makefile)]), at_least=5)


def test_every_module_that_is_run_by_name_exists() -> None:
    assert_right(references.modules([*page_texts(), *code_texts()]), at_least=30)


def test_every_make_target_on_the_pages_exists() -> None:
    assert_right(references.make_targets(pages()), at_least=10)
    readme = references.make_targets([page("README.md")])
    assert {reference.split()[1] for reference in readme.references} >= {"demo", "test", "down"}


def test_every_make_target_that_messages_and_comments_name_exists() -> None:
    targets, _variables = references.make_names()
    named = [(name, target) for name, text in code_texts() for target in re.findall(r"`make ([a-z]+)", text)]
    assert [(name, target) for name, target in named if target not in targets] == []
    assert len(named) >= 10


def test_every_message_that_a_page_quotes_is_in_the_code() -> None:
    code = " ".join(text for _name, text in code_texts())
    quoted = [(document.name, quote) for document in pages() for quote in re.findall(r"“([^”]+)”", document.text)]
    assert [(name, quote) for name, quote in quoted if " ".join(quote.split()) not in code] == []
    assert len(quoted) >= 2


def test_every_variable_named_anywhere_is_a_setting() -> None:
    texts = [(document.name, document.text) for document in pages()]
    tests = [
        (str(path), path.read_text(encoding="utf-8"))
        for path in (PROJECT_ROOT / "tests").rglob("*.py")
        if Path(__file__).parent not in path.parents
    ]
    assert_right(references.variables(texts), at_least=60)
    assert_right(references.variables(source_files().items()), at_least=20)
    assert_right(references.variables(tests), at_least=10)


def test_every_setting_is_on_the_settings_page() -> None:
    described = {row[0].strip("`") for rows in page(SETTINGS_PAGE).tables() for row in rows[1:]}
    assert described == setting_variables() | references.VARIABLES_BESIDE_SETTINGS


def test_every_name_in_backticks_is_a_name_of_the_code() -> None:
    assert_right(references.identifiers(pages()), at_least=120)
    assert_right(references.identifiers([page("README.md")]), at_least=3)


def test_every_dag_that_is_named_exists() -> None:
    assert_right(references.dags(pages()), at_least=8)


def test_every_table_that_is_named_exists() -> None:
    assert_right(references.tables(pages()), at_least=30)


def test_every_layer_of_the_lake_that_is_named_exists() -> None:
    assert_right(references.lake_layers(pages()), at_least=6)
    described = {row[0].strip("`") for row in page("docs/lake.md").table("layer", "path", "what it holds")}
    assert described == references.LAYERS


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    assert_right(references.links(pages()), at_least=25)
    assert_right(references.links([page("README.md")]), at_least=8)


def test_every_picture_is_there() -> None:
    assert_right(references.pictures(pages()), at_least=2)


def test_every_path_in_backticks_exists() -> None:
    assert_right(references.paths(pages()), at_least=15)


def test_every_page_below_docs_is_linked_from_another_page() -> None:
    linked = {
        (document.folder / link.partition("#")[0]).resolve()
        for document in markdown_pages()
        for link in document.links
        if link.partition("#")[0] and not re.match(r"[a-z]+:", link)
    }
    lonely = [path for path in (PROJECT_ROOT / "docs").rglob("*.md") if path.resolve() not in linked]
    assert lonely == []


def test_no_page_has_a_place_that_is_still_to_be_filled_in() -> None:
    unfinished = [
        (document.name, line)
        for document in markdown_pages()
        for line in document.prose.splitlines()
        if re.fullmatch(r"[A-Z_]{4,}", line.strip()) or re.search(r"\b(TODO|FIXME|TBD|XXX)\b", line)
    ]
    assert unfinished == []


WRONG: list[tuple[Callable[[list[Document]], Found], str]] = [
    (lambda pages: references.commands([("page", pages[0].text)]), "`python -m include trian`"),
    (lambda pages: references.commands([("page", pages[0].text)]), "`python -m include train --promot`"),
    (lambda pages: references.modules([("page", pages[0].text)]), "`python -m include.local.load_setings`"),
    (references.make_targets, "`make demos`"),
    (references.make_targets, "```\nmake demo REPLY=../data\n```"),
    (lambda pages: references.variables([("page", pages[0].text)]), "`CUVEE_LAKE_URI`"),
    (references.identifiers, "`labelled_products.lable`"),
    (references.identifiers, "`lable_history`"),
    (references.dags, "the `champagne_dayly` DAG"),
    (references.tables, "the table `batchs`"),
    (references.tables, "```sql\nselect 1 from labelled_product\n```"),
    (references.lake_layers, "`lake/label/source=S`"),
    (references.links, "[there](docs/nowhere.md)"),
    (references.links, "[there](docs/lake.md#nowhere)"),
    (references.links, "[there](../outside.md)"),
    (references.pictures, "![it](README.md)"),
    (references.paths, "`include/schemas.py`"),
]


@pytest.mark.parametrize(("check", "text"), WRONG, ids=[text for _, text in WRONG])
def test_a_wrong_reference_is_noticed(check: Callable[[list[Document]], Found], text: str) -> None:
    found = check([Document("page", f"Some words, then\n{text}\nand more.\n", PROJECT_ROOT)])
    assert found.wrong
