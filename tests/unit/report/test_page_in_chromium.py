"""The page in a real browser: quiet, alone, usable by keyboard, on a phone, in the dark and on paper."""

import io
import itertools
import unicodedata

import chromium
import pypdf
import pytest

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.IS_MISSING, reason="Chromium is not here: apt-get install chromium chromium-driver"),
]
VIEWS = ("start", "researcher", "auditor", "clinician", "everything")
ACTIVE = "return document.activeElement"
FOCUS = "return document.activeElement.matches(arguments[0])"
OPEN = "return [...document.querySelectorAll('dialog[open]')].map(dialog => dialog.id)"
COLUMN = """const rows = [...document.querySelectorAll(arguments[0] + ' tbody tr')];
return rows.map(row => row.cells[arguments[1]].textContent)"""


@pytest.fixture
def shown(browser, lasting_page):
    """Opens the page at a place, and says afterwards whether it stayed quiet and asked for nothing else."""

    def open_at(fragment="", **how):
        browser.open(lasting_page.path, fragment, **how)
        return browser

    yield open_at
    assert browser.complaints() == []
    asked = [address for address in browser.requests() if not address.startswith("data:")]
    assert asked == [f"file://{lasting_page.path}"]


def focus(browser, selector):
    browser.run("document.querySelector(arguments[0]).focus()", selector)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_shows_its_sections_and_no_others(shown, view):
    browser = shown(view)
    wrong = browser.run(
        """return [...document.querySelectorAll('main > section')].filter(one => {
          const wanted = arguments[0] === 'everything' || one.dataset.in.split(' ').includes(arguments[0]);
          return (one.offsetParent !== null) !== wanted; }).map(one => one.id)""",
        view,
    )
    assert wrong == []
    assert browser.run("return document.querySelector('nav [aria-current]').dataset.view") == view


def test_a_deep_link_opens_the_view_that_holds_its_target(shown):
    browser = shown("certificates")
    assert browser.run("return document.body.dataset.view") == "auditor"
    assert abs(browser.run("return document.getElementById('certificates').getBoundingClientRect().top")) < 100


def test_a_number_opens_its_formula_and_its_files_by_keyboard_and_escape_gives_the_focus_back(shown, lasting_page):
    browser = shown("start")
    number = "#main-result .number[data-source='mean_sd dsn_saal f1.macro']"
    focus(browser, number)
    browser.press("Enter")
    assert browser.run(OPEN) == ["explanation"]
    text = browser.run("return document.getElementById('explanation').textContent")
    summary = lasting_page.sources.summaries["dsn_saal"]
    for value in summary["metrics"]["f1.macro"]["values"]:
        assert f"{value:.6g}" in text
    assert "F1 = (1/C) Σ_c 2 TP_c / (2 TP_c + FP_c + FN_c)" in text and "F1 macro of DSN-SAAL" in text
    digests = [lasting_page.sources.predictions_sha256("dsn_saal", run) for run in range(3)]
    assert len(set(digests)) == 3 and all(digest in text for digest in digests)
    browser.press("Tab")
    assert browser.run("return document.activeElement.closest('dialog') !== null")
    browser.press("Escape")
    assert browser.run(OPEN) == [] and browser.run(FOCUS, number)


def test_every_number_opens_an_explanation_with_runs(shown):
    browser = shown("everything")
    failed = browser.run(
        """const failed = [], dialog = document.getElementById('explanation');
        const sources = new Map([...document.querySelectorAll('.number')].map(one => [one.dataset.source, one]));
        for (const [source, button] of sources) { button.click();
          const text = dialog.querySelector('.body').textContent;
          if (!dialog.open || !text.includes('predictions, SHA-256')) failed.push(source);
          dialog.close(); }
        return [sources.size, failed]"""
    )
    assert failed[1] == [] and failed[0] > 500


def test_a_paired_difference_shows_both_experiments_run_by_run(shown, lasting_page):
    browser = shown("researcher")
    browser.run(
        "document.querySelector(\".number[data-source^='difference'][data-source*='sensitivity.macro']\").click()"
    )
    heads = browser.run("return [...document.querySelectorAll('#explanation thead th')].map(head => head.textContent)")
    rows = browser.run(
        "const rows = [...document.querySelectorAll('#explanation tbody tr')];"
        "return rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    assert heads[0] == "run" and heads[-1] == "difference" and len(rows) == 3
    for _, first, second, difference in rows:
        change = float(difference.replace("−", "-"))
        assert change == pytest.approx(float(first) - float(second), abs=2e-6)


def test_columns_sort_by_click_and_by_key_and_say_so(shown):
    browser = shown("start")
    table = "#main-result table"
    before = browser.run(COLUMN, table, 1)
    browser.click(f"{table} thead th:nth-child(2) button")
    up = browser.run(COLUMN, table, 1)
    assert up == sorted(before, key=lambda text: float(text[:5])) and up != before
    focus(browser, f"{table} thead th:nth-child(2) button")
    browser.press("Enter")
    assert browser.run(COLUMN, table, 1) == up[::-1]
    sorts = (
        "return [...document.querySelectorAll(arguments[0] + ' thead th')].map(head => head.getAttribute('aria-sort'))"
    )
    assert browser.run(sorts, table)[:2] == [None, "descending"]
    assert "descending" in browser.run("return document.getElementById('said').textContent")


def test_signs_spaces_and_missing_values_sort_as_numbers(shown):
    browser = shown("researcher")
    browser.run(
        """const body = document.querySelector('#main-result table tbody');
        const texts = ['+0.2', '–', '−0.5', '10 000', '9 %'];
        [...body.rows].forEach((row, at) => { row.cells[1].textContent = texts[at % 5]; if (at > 4) row.remove(); });
        document.querySelector('#main-result thead th:nth-child(2) button').click()"""
    )
    assert browser.run(COLUMN, "#main-result", 1) == ["−0.5", "+0.2", "9 %", "10 000", "–"]


def test_runs_can_be_filtered(shown):
    browser = shown("runs")
    focus(browser, "#run-filter")
    browser.call("POST", f"/element/{browser.run(ACTIVE)[chromium.ELEMENT]}/value", {"text": "resnet50_ce"})
    shown_rows = browser.run(
        "const rows = [...document.querySelectorAll('#run-table tbody tr')].filter(row => row.offsetParent);"
        "return rows.map(row => row.textContent)"
    )
    assert shown_rows and all("resnet50_ce" in row for row in shown_rows)


def test_a_figure_enlarges_by_key_and_escape_gives_the_focus_back(shown):
    browser = shown("figure-figure4")
    focus(browser, "#figure-figure4 .enlarge")
    browser.press("Enter")
    assert browser.run(OPEN) == ["enlarged"]
    width = "return document.querySelector('#enlarged img').getBoundingClientRect().width"
    assert browser.run(width) > 0.9 * 1200
    browser.click("#enlarged .zoom")
    assert browser.run(width) > 1.9 * 1200
    browser.press("Escape")
    assert browser.run(OPEN) == [] and browser.run(FOCUS, "#figure-figure4 .enlarge")


@pytest.mark.parametrize("view", VIEWS)
def test_a_phone_never_scrolls_the_page_sideways(shown, view):
    browser = shown(view, width=375, height=740)
    assert browser.run("return document.documentElement.scrollWidth") <= 375
    browser.run("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert browser.run("return document.documentElement.scrollWidth") <= 375


LUMINANCE = """
const parts = text => text.match(/[\\d.]+/g).map(Number);
const ground = element => { for (let one = element; one; one = one.parentElement) {
  const colour = parts(getComputedStyle(one).backgroundColor);
  if (colour.length === 3 || colour[3] > 0) return colour; }
  return [255, 255, 255]; };
const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
const light = colour => { const [r, g, b] = colour.map(v => linear(v / 255));
  return .2126 * r + .7152 * g + .0722 * b; };
const texts = [...document.querySelectorAll('body *')].filter(one => one.offsetParent &&
  [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()));
return texts.map(one => { const [a, b] = [light(parts(getComputedStyle(one).color)), light(ground(one))];
  return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), one.tagName + '.' + one.className]; });
"""


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_has_the_contrast_that_wcag_asks_for(shown, dark):
    browser = shown("everything", dark=dark)
    found = browser.run(LUMINANCE)
    assert len(found) > 1000
    assert sorted({name for ratio, name in found if ratio < 4.5}) == []


def test_the_dark_page_is_dark(shown):
    colour = "return getComputedStyle(document.body).backgroundColor"
    assert shown("start").run(colour) == "rgb(251, 251, 250)"
    assert shown("start", dark=True).run(colour) == "rgb(20, 24, 29)"


def test_headings_landmarks_and_names_are_in_order(shown):
    browser = shown("everything")
    levels = browser.run(
        "const heads = [...document.querySelectorAll('body :is(h1,h2,h3,h4)')].filter(head => !head.closest('dialog'));"
        "return heads.map(head => +head.tagName[1])"
    )
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    for landmark in ("header", "nav[aria-label]", "main", "footer"):
        assert browser.run("return document.querySelectorAll(arguments[0]).length", landmark) >= 1
    assert browser.run("return document.documentElement.lang") == "en"
    unnamed = browser.run(
        """const named = one => (one.getAttribute('aria-label') || one.textContent || '').trim() ||
             (one.id && document.querySelector(`label[for="${one.id}"]`));
        const bad = [...document.querySelectorAll('button, a[href], input, summary')].filter(one => !named(one));
        bad.push(...[...document.querySelectorAll('img')].filter(one => !one.closest('dialog') && !one.alt));
        bad.push(...[...document.querySelectorAll('main table')].filter(one => !one.caption));
        const titled = one => document.getElementById(one.getAttribute('aria-labelledby'));
        bad.push(...[...document.querySelectorAll('[aria-labelledby]')].filter(one => !titled(one)));
        return bad.map(one => one.outerHTML.slice(0, 120))"""
    )
    assert unnamed == []
    twice = browser.run(
        "const ids = [...document.querySelectorAll('[id]')].map(one => one.id);"
        "return ids.filter((id, at) => ids.indexOf(id) !== at)"
    )
    assert twice == []


def test_the_first_tab_offers_to_skip_to_the_content(shown):
    browser = shown()
    browser.press("Tab")
    assert (
        browser.run(FOCUS, ".skip") and browser.run("return document.activeElement.getBoundingClientRect().left") >= 0
    )


def test_paper_holds_every_section_of_every_view(shown):
    browser = shown("start")
    pages = pypdf.PdfReader(io.BytesIO(browser.pdf())).pages
    text = unicodedata.normalize("NFKC", " ".join("\n".join(page.extract_text() for page in pages).split()))
    heads = browser.run("return [...document.querySelectorAll('main > section > h2')].map(head => head.textContent)")
    assert len(heads) > 8 and all(head in text for head in heads)
    assert "Phantom data" in text and "Not filled in." in text
    assert len(pages) > 3
