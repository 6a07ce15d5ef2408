"""`make screenshots`: run a demo, open Airflow and the pages in a browser, and write docs/images."""

from __future__ import annotations

import argparse
import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PIL import Image
from playwright.sync_api import sync_playwright

from include.commands.demo import FIRST_DAY
from include.settings import PROJECT_ROOT
from tests.e2e.platform import Platform
from tests.fixtures.browser import FLAGS, find_browser
from tests.screenshots.demo import REFUSED_DAY, refuse_a_day, running_demo

if TYPE_CHECKING:
    from playwright.sync_api import Browser

logger = logging.getLogger(__name__)

IMAGES = PROJECT_ROOT / "docs" / "images"
COLOURS = 128


@dataclass(frozen=True)
class Picture:
    """One picture: an address below Airflow's, as it is seen at a width and in a theme."""

    name: str
    address: str
    width: int = 1400
    height: int = 900
    theme: Literal["light", "dark"] = "light"


PICTURES = (
    # The first is of green days; a day is refused before the others.
    Picture("airflow", "dags/champagne_daily"),
    Picture("home", "plugin/cuvee/cuvee/"),
    Picture("batches", "plugin/cuvee/cuvee/batches"),
    Picture("validation", f"plugin/cuvee/cuvee/validation/openfoodfacts/{REFUSED_DAY}"),
    Picture("products", "plugin/cuvee/cuvee/products"),
    Picture("product", "plugin/cuvee/cuvee/products/{product}"),
    Picture("documents", "plugin/cuvee/cuvee/documents"),
    Picture("products-dark", "plugin/cuvee/cuvee/products?decision=review", theme="dark"),
    Picture("home-phone", "plugin/cuvee/cuvee/", width=400, height=850),
    Picture("product-phone", "plugin/cuvee/cuvee/products/{product}", width=400, height=850, theme="dark"),
)


def take(browser: Browser, platform: Platform, picture: Picture, target: Path) -> None:
    """Open a page as `admin` and write it as a PNG of few colours."""
    ((product,),) = platform.rows(
        "SELECT product_id FROM labelled_products WHERE photo_status = 'ok' AND first_seen_day = :day"
        " ORDER BY decision DESC, product_id LIMIT 1",
        day=FIRST_DAY,
    )
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height}, color_scheme=picture.theme
    )
    context.add_init_script(f"localStorage.setItem('theme', '{picture.theme}')")
    page, login, url = context.new_page(), platform.airflow.login(), platform.airflow.url
    page.goto(f"{url}/")
    page.fill("input[name=username]", login.username)
    page.fill("input[name=password]", login.password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"{url}/")
    page.goto(f"{url}/{picture.address.format(product=product)}")
    if "plugin/" in picture.address:
        page.frame_locator("iframe").locator("footer, main h1").last.wait_for(state="attached")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1_500)
    page.screenshot(path=target)
    context.close()
    with Image.open(target) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)


def main() -> None:
    """Make the pictures that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="pictures to make; without, all")
    parser.add_argument(
        "--state", type=Path, help="state folder of the demo, kept and used again; without, one that goes"
    )
    parser.add_argument("--into", type=Path, default=IMAGES, help="folder of the pictures")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with tempfile.TemporaryDirectory(prefix="cuvee-pictures-") as made:
        folder = (chosen.state or Path(made)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # the database server's account must be able to reach it
        with running_demo(folder) as platform, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
            for picture in PICTURES:
                if picture is PICTURES[1]:
                    refuse_a_day(platform)
                if not chosen.names or picture.name in chosen.names:
                    take(browser, platform, picture, chosen.into / f"{picture.name}.png")
                    logger.info("%s.png", picture.name)
            browser.close()


if __name__ == "__main__":
    main()
