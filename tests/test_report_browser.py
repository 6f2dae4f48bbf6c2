"""The page in a browser: no error, zoom and sorting work, hostile text is text."""

import numpy as np
import pytest

from jaxvqa import report
from jaxvqa.report._html._series import pack
from tests.browser import browser, needs_browser
from tests.pages import HOSTILE, result_of, rows_of, video_pair

pytestmark = needs_browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Pages of one result with pictures, of three results, and of a table."""
    folder = tmp_path_factory.mktemp("pages")
    one = result_of("one", frames=8, size=(96, 64), videos=video_pair(folder, frames=8))
    report.write_html(one, folder / "one.html")
    three = [result_of(n, frames=600, seed=i) for i, n in enumerate("abc")]
    report.write_html(three, folder / "three.html", [HOSTILE, "b", "c"], title=HOSTILE)
    report.write_table_html(rows_of(), folder / "table.html", encoder=["codec"], title=HOSTILE)
    return folder


@pytest.fixture(scope="module", params=[1280, 390])
def driver(request):
    with browser(request.param) as driver:
        driver.columns = request.param
        yield driver


def load(driver, pages, name):
    driver.get((pages / f"{name}.html").as_uri())
    return driver


def problems(driver):
    """What the browser complained of, and whether anything hostile ran or was made."""
    found = [entry["message"] for entry in driver.get_log("browser")]
    found += driver.execute_script("return window.hacked ? ['hacked'] : []")
    found += driver.execute_script(
        "return [...document.querySelectorAll('img[src=\"x\"]')].map((i) => i.outerHTML)"
    )
    return found


def element(driver, selector):
    return driver.find_element("css selector", selector)


def range_of(driver):
    """The frames that the ticks of the first chart span, read from its scale."""
    return driver.execute_script("return page.charts[0].range()")


@pytest.mark.parametrize("name", ["one", "three", "table"])
def test_no_error_no_overflow_and_text_is_large_enough(driver, pages, name):
    load(driver, pages, name)
    assert problems(driver) == []
    wide, inner = driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert wide <= inner == driver.columns
    smallest = driver.execute_script(
        """
        const sizes = [];
        const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walk.nextNode()) {
          const node = walk.currentNode.parentElement;
          if (!walk.currentNode.data.trim() || !node.getClientRects().length) continue;
          if (["SCRIPT", "STYLE", "OPTION"].includes(node.tagName)) continue;
          sizes.push([parseFloat(getComputedStyle(node).fontSize), node.outerHTML.slice(0, 80)]);
        }
        return sizes.sort((a, b) => a[0] - b[0])[0];
        """
    )
    assert smallest[0] >= (16 if driver.columns < 600 else 13), smallest


def test_hostile_names_are_shown_as_they_are(driver, pages):
    load(driver, pages, "three")
    assert element(driver, "h1").text == HOSTILE
    assert driver.title == HOSTILE
    assert HOSTILE in element(driver, ".tile .who").text
    assert HOSTILE in element(driver, ".key").text
    assert problems(driver) == []
    load(driver, pages, "table")
    assert HOSTILE in element(driver, "#table table").text
    assert HOSTILE in element(driver, "#curves-rd select").text
    assert problems(driver) == []


def test_keys_and_buttons_zoom_all_charts(driver, pages):
    load(driver, pages, "three")
    spans = "return page.charts.map((c) => c.range())"
    assert driver.execute_script(spans)[0] == [0, 599]
    chart = element(driver, "#curves .plot")
    for key in ("+", "+"):
        chart.send_keys(key)
    zoomed = driver.execute_script(spans)
    low, high = zoomed[0]
    assert high - low == pytest.approx(599 / 4)
    features = [r for r in zoomed if r == zoomed[0]]
    assert len(features) == 4  # the score and three features
    chart.send_keys("0")
    assert driver.execute_script(spans)[0] == [0, 599]
    driver.execute_script("document.querySelector('button[aria-label=\"Zoom in\"]').click()")
    assert driver.execute_script(spans)[0] == pytest.approx([149.75, 449.25])
    driver.execute_script("[...document.querySelectorAll('button')]"
                          ".find((b) => b.textContent === 'Seconds').click()")  # fmt: skip
    assert driver.execute_script(spans)[0] == pytest.approx([149.75 / 25, 449.25 / 25])
    assert problems(driver) == []


def test_dragging_zooms_and_a_double_click_resets(driver, pages):
    from selenium.webdriver import ActionChains

    load(driver, pages, "three")
    over = element(driver, "#curves .u-over")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", over)
    width = over.size["width"]
    start = ActionChains(driver).move_to_element_with_offset(over, -width // 4, 0)
    start.click_and_hold().move_by_offset(width // 2, 0).release().perform()
    low, high = range_of(driver)
    assert low == pytest.approx(599 / 4, abs=12)
    assert high == pytest.approx(599 * 3 / 4, abs=12)
    ActionChains(driver).double_click(over).perform()
    assert range_of(driver) == [0, 599]


def test_the_cursor_reads_values_of_all_results(driver, pages):
    from selenium.webdriver.common.keys import Keys

    load(driver, pages, "three")
    chart = element(driver, "#curves .plot")
    chart.send_keys(Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    text = element(driver, "#curves .readout").text.replace("\n", " ")
    assert text.split()[:2] == ["frame", "2"]
    for i in range(3):
        expected = result_of("x", frames=600, seed=i).frames["vmaf"][2]
        assert f"{expected:.2f}" in text
    feature = element(driver, "#features-charts .readout").text.replace("\n", " ")
    assert feature.split()[:2] == ["frame", "2"]


def test_sorting_and_filtering(driver, pages):
    load(driver, pages, "table")
    cells = (
        "return [...document.querySelectorAll('#table tbody tr')]"
        ".map((r) => r.querySelector('td:nth-child(' + (1 + [...document.querySelectorAll("
        "'#table thead button')].findIndex((b) => b.dataset.column === arguments[0])) + ')')"
        ".getAttribute('title'))"
    )
    press = "document.querySelector('button[data-column=\"' + arguments[0] + '\"]').click()"
    driver.execute_script(press, "vmaf_mean")
    values = [float(v) for v in driver.execute_script(cells, "vmaf_mean") if v]
    assert values == sorted(values, reverse=True)
    assert len(values) > 20
    driver.execute_script(press, "vmaf_mean")
    assert [float(v) for v in driver.execute_script(cells, "vmaf_mean") if v] == values[::-1]
    head = element(driver, "button[data-column=vmaf_mean]").find_element("xpath", "..")
    assert head.get_attribute("aria-sort") == "ascending"
    search = element(driver, "input[type=search]")
    search.send_keys("x265 vmaf<80")
    shown = driver.execute_script(cells, "codec")
    assert shown
    assert set(shown) == {"x265"}
    assert all(float(v) < 80 for v in driver.execute_script(cells, "vmaf_mean"))
    assert "of 37 rows" in element(driver, "#table [role=status]").text
    told = []
    for limit in ("1000", "1k"):
        search.clear()
        search.send_keys(f"bitrate_kbps<{limit}")
        told.append(element(driver, "#table [role=status]").text)
    assert told[0] == told[1] != "0 of 37 rows"
    search.send_keys(" nothing-has-this")
    assert "No row fits" in element(driver, "#table tbody").text
    assert problems(driver) == []


def test_pictures_swap_under_the_pointer(driver, pages):
    from selenium.webdriver import ActionChains

    load(driver, pages, "one")
    swap = element(driver, ".swap[data-side=dis]")
    over = swap.find_element("css selector", ".over")
    assert over.get_attribute("src") == element(driver, "img[data-side=ref]").get_attribute("src")
    assert not over.is_displayed()
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", swap)
    if driver.columns > 600:
        ActionChains(driver).move_to_element(swap).perform()
        assert over.is_displayed()
        ActionChains(driver).move_to_element(element(driver, "#worst-title")).perform()
        assert not over.is_displayed()
    driver.execute_script("arguments[0].click()", swap)
    assert swap.get_attribute("aria-pressed") == "true"
    natural = driver.execute_script("return arguments[0].naturalWidth", over)
    assert natural == 96
    assert problems(driver) == []


def test_curves_of_encoders_and_their_matrix(driver, pages):
    from selenium.webdriver.common.keys import Keys

    load(driver, pages, "table")
    matrix = element(driver, "#deltas").text
    assert "x264" in matrix
    assert "%" in matrix
    options = element(driver, "#curves-rd select").find_elements("css selector", "option")
    driver.execute_script(
        "const s = document.querySelector('#curves-rd select'); s.selectedIndex = 1;"
        "s.dispatchEvent(new Event('change'))"
    )
    chart = element(driver, "#curves-rd .plot")
    read = []
    for _ in range(3):
        chart.send_keys(Keys.ARROW_RIGHT)
        read.append(element(driver, "#curves-rd .readout").text)
    assert "x264_360_500" in read[0]
    assert len(set(read)) == 3
    caption = element(driver, "#deltas caption").text
    assert caption == options[1].text
    assert problems(driver) == []


def test_colours_follow_the_button_and_paper_is_light(pages):
    with browser(dark=True) as driver:
        load(driver, pages, "three")
        theme = "return document.documentElement.dataset.theme"
        assert driver.execute_script(theme) == "dark"
        element(driver, "#theme").click()
        assert driver.execute_script(theme) == "light"
        element(driver, "#theme").click()
        driver.execute_script("window.dispatchEvent(new Event('beforeprint'))")
        assert driver.execute_script(theme) == "light"
        assert problems(driver) == []


def test_series_come_back_in_the_page(driver, pages):
    load(driver, pages, "three")
    values = np.array([0.0, -3.5, np.nan, 1e4, 0.1234567])
    back = driver.execute_script("return page.series(arguments[0])", pack(values))
    np.testing.assert_allclose(np.array(back, float), values.astype(np.float32).astype(float))
    back = driver.execute_script("return page.series(arguments[0])", pack(values, coarse=True))
    np.testing.assert_allclose(np.array(back, float), values, atol=(1e4 + 3.5) / 4094 / 2)
