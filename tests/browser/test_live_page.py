"""The run page in a real browser: it follows the run, survives the network, and reads by keyboard."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.held_request import held, hold, let_go
from tests.browser.keyboard import press_twice
from tests.pages.telling import FIRST, MENDED, PLAN, RECALLED, Teller, prepare, whole_run
from tests.pages.test_hostile import CORPUS, hostile_run
from trajectories import bell, events

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def ids(page: Page, selector: str = "#steps > .step") -> list[str]:
    return [str(name) for name in page.eval_on_selector_all(selector, "all => all.map(e => e.id)")]


def started() -> Teller:
    teller = Teller()
    teller.begin()
    teller.ask("retrieval", RECALLED)
    return teller


def open_live(page: Page, url: str, teller: Teller) -> None:
    page.goto(f"{url}/runs/{teller.run.pk}/")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")


def settled(page: Page, last: int) -> None:
    expect(page.locator("run-stream")).to_have_attribute("data-last", str(last))


def same_as_reload(page: Page) -> None:
    """The live document equals the one a reload gives, but for what only a living page has."""
    script = """() => ['steps', 'outline', 'run-head'].map(id => {
        const copy = document.getElementById(id).cloneNode(true);
        copy.querySelectorAll('#live, [name=csrfmiddlewaretoken]').forEach(e => e.remove());
        copy.querySelectorAll('[hidden]').forEach(e => e.removeAttribute('hidden'));
        copy.querySelectorAll('[aria-current]').forEach(e => e.removeAttribute('aria-current'));
        return copy.innerHTML.replace(/\\s+/g, ' ').replace(/> </g, '><').trim();
    })"""
    live = page.evaluate(script)
    page.reload()
    assert page.evaluate(script) == live


def test_steps_appear_as_they_happen_up_to_the_verdict(live_server_url: str, page: Page) -> None:
    teller = started()
    open_live(page, live_server_url, teller)
    assert ids(page) == ["s1"]
    teller.ask("planning", PLAN, gist="after exemplar 1", detail={"exemplar": 1})
    expect(page.locator("#s2")).to_contain_text("Print their sum.")
    teller.note("plan_chosen", attempt=1, exemplar=1, confidence=70)
    teller.ask("coding", MENDED, attempt=1)
    teller.test(MENDED, ["AC"])
    teller.test(MENDED, ["AC", "AC", "AC"], suite="hidden")
    run = teller.end()
    settled(page, run.last_seq)
    expect(page.locator("#live")).to_have_attribute("data-state", "ended")
    expect(page.locator("#run-head")).to_contain_text("accepted")
    assert ids(page) == ["s1", "s2", "s3", "s4", "s5"]
    assert page.locator("lane-timeline .bar").count() >= 5
    same_as_reload(page)


def test_an_answer_is_seen_while_it_is_written(live_server_url: str, page: Page) -> None:
    teller = started()
    open_live(page, live_server_url, teller)
    settled(page, teller.start("planning"))
    draft = page.locator("#s2-draft")
    bell.delta(teller.run.pk, 2, 0, "Read 🚋 <b>")
    expect(draft).to_have_text("Read 🚋 <b>")
    bell.delta(teller.run.pk, 2, 10, " both")  # ten characters to the server, eleven units to the browser
    expect(draft).to_have_text("Read 🚋 <b> both")
    bell.delta(teller.run.pk, 2, 40, "a piece after a lost one")
    teller.answer(PLAN, PLAN)
    expect(page.locator("#s2")).to_contain_text("Print their sum.")
    expect(draft).to_have_count(0)


def test_pausing_counts_what_arrives_and_loses_nothing(live_server_url: str, page: Page) -> None:
    teller = started()
    open_live(page, live_server_url, teller)
    page.keyboard.press("Space")
    expect(page.locator("#live")).to_have_attribute("data-state", "paused")
    teller.ask("planning", PLAN)
    expect(page.locator("#live")).to_contain_text("Paused (2 new)")
    assert ids(page) == ["s1"]
    page.keyboard.press("Space")
    expect(page.locator("#s2")).to_be_visible()
    expect(page.locator("#live")).to_have_attribute("data-state", "live")


def test_the_focus_stays_on_a_control_of_the_header_while_events_arrive(
    live_server_url: str, page: Page
) -> None:
    """Else nobody without a mouse could cancel a run that goes on."""
    teller = started()
    open_live(page, live_server_url, teller)
    for name in ("Statement", "Export", "Cancel run"):
        control = page.locator("#run-head").get_by_role("button", name=name)
        control.focus()
        settled(page, teller.ask("planning", PLAN))
        expect(control).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Cancelling")).to_be_visible()
    teller.run.refresh_from_db()
    assert teller.run.cancel_requested


def test_what_is_held_while_paused_is_counted_once_though_the_connection_was_lost(
    live_server_url: str, page: Page
) -> None:
    teller = started()
    open_live(page, live_server_url, teller)
    page.keyboard.press("Space")
    teller.ask("planning", PLAN)
    expect(page.locator("#live")).to_contain_text("Paused (2 new)")
    page.evaluate("document.querySelector('run-stream').connect()")
    teller.ask("planning", PLAN)
    expect(page.locator("#live")).to_contain_text("Paused (4 new)")
    page.keyboard.press("Space")
    expect(page.locator("#s3")).to_be_visible()


def test_a_drawing_that_was_overtaken_by_the_ending_does_not_bring_the_run_back(
    live_server_url: str, page: Page
) -> None:
    """Header and lanes asked for while the run went on, answered after its end: nothing would ever correct them."""
    teller = started()
    open_live(page, live_server_url, teller)
    hold(page, "/patches/?frame=1")
    page.evaluate("void document.querySelector('run-stream').frame()")
    held(page)
    before = page.request.get(f"{live_server_url}/runs/{teller.run.pk}/patches/?frame=1").text()
    settled(page, teller.end().last_seq)
    expect(page.locator("#run-head")).to_have_attribute("data-status", "finished")
    let_go(page, before)
    page.wait_for_timeout(200)
    expect(page.locator("#run-head")).to_have_attribute("data-status", "finished")
    expect(page.locator("#live")).to_have_attribute("data-state", "ended")


def test_a_lost_connection_leaves_no_gap_and_no_double(live_server_url: str, page: Page) -> None:
    teller = started()
    open_live(page, live_server_url, teller)
    page.context.set_offline(True)
    page.evaluate("document.querySelector('run-stream').socket.close()")
    expect(page.locator("#live")).to_have_attribute("data-state", "reconnecting")
    for _ in range(5):
        last = teller.ask("planning", PLAN)
    page.context.set_offline(False)
    settled(page, last)
    assert ids(page) == [f"s{number}" for number in range(1, 7)]
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    same_as_reload(page)


def test_a_frame_out_of_turn_sends_the_page_to_the_log(live_server_url: str, page: Page) -> None:
    teller = started()
    open_live(page, live_server_url, teller)
    page.evaluate("const s = document.querySelector('run-stream'); s.close(); s.retry = 0")
    teller.ask("planning", PLAN)
    last = teller.ask("confidence", {"score": 80, "explanation": "Yes."})
    with page.expect_response(re.compile(r"/patches/\?after=")):
        page.evaluate(
            "last => document.querySelector('run-stream').receive({t: 'event', seq: last, kind: 'x', patches: []})",
            last,
        )
    settled(page, last)
    assert ids(page) == ["s1", "s2", "s3"]


def test_without_websockets_the_page_polls(live_server_url: str, page: Page) -> None:
    page.add_init_script(
        "window.WebSocket = class extends EventTarget { constructor() { super(); setTimeout(() => this.onclose({code: 1006}), 5) } close() {} }"
    )
    teller = started()
    page.goto(f"{live_server_url}/runs/{teller.run.pk}/")
    last = teller.ask("planning", PLAN)
    settled(page, last)
    assert ids(page) == ["s1", "s2"]


def test_two_tabs_tell_the_same_story(live_server_url: str, page: Page) -> None:
    teller = started()
    other = page.context.new_page()
    for tab in (page, other):
        open_live(tab, live_server_url, teller)
    prepare_rest(teller)
    run = teller.end()
    for tab in (page, other):
        settled(tab, run.last_seq)
    inside = "document.getElementById('steps').textContent.replace(/\\s+/g, ' ')"
    assert page.evaluate(inside) == other.evaluate(inside)


def prepare_rest(teller: Teller) -> None:
    teller.note("plan_chosen", attempt=1, exemplar=1, confidence=70)
    teller.ask("coding", FIRST, attempt=1)
    teller.test(FIRST, ["WA"])
    teller.ask("debugging", MENDED, attempt=1)


def test_a_reader_who_is_elsewhere_is_not_moved_and_is_told(live_server_url: str, page: Page) -> None:
    teller = started()
    prepare(teller)
    open_live(page, live_server_url, teller)
    page.set_viewport_size({"width": 1280, "height": 500})
    page.keyboard.press("Home")
    page.mouse.wheel(0, 300)
    page.wait_for_function(
        "() => scrollY >= 300"
    )  # the wheel is turned when this returns, the page moves later
    before = page.evaluate("[scrollY, document.querySelector('#s2').getBoundingClientRect().top]")
    for _ in range(4):
        last = teller.ask("planning", PLAN)
    settled(page, last)
    assert page.evaluate("[scrollY, document.querySelector('#s2').getBoundingClientRect().top]") == before
    expect(page.locator(".tail")).to_contain_text("4 new steps below")
    page.keyboard.press("Shift+G")
    expect(page.locator(f"#s{teller.step}")).to_be_in_viewport()
    expect(page.locator(".tail")).to_be_hidden()


def test_following_the_tail_goes_on_until_a_person_moves(live_server_url: str, page: Page) -> None:
    teller = started()
    page.set_viewport_size({"width": 1280, "height": 600})
    open_live(page, live_server_url, teller)
    for _ in range(6):
        last = teller.ask("planning", PLAN)
    settled(page, last)
    expect(page.locator(f"#s{teller.step}")).to_be_in_viewport()
    page.mouse.move(700, 400)
    page.mouse.wheel(0, -900)
    expect(page.locator(f"#s{teller.step}")).not_to_be_in_viewport()
    settled(page, teller.ask("planning", PLAN))
    expect(page.locator(f"#s{teller.step}")).not_to_be_in_viewport()


def test_a_retried_run_comes_back_to_life_in_an_open_tab(live_server_url: str, page: Page) -> None:
    teller = started()
    open_live(page, live_server_url, teller)
    teller.start("planning")
    teller.tell(events.StepFailed(step=2, code="engine_unreachable", message="Nobody answers."))
    run = teller.end(
        status="failed", reason="engine_unreachable", message="Nobody answers.", verdict="", code=None
    )
    settled(page, run.last_seq)
    expect(page.locator("#run-head")).to_contain_text("Engine unreachable")
    expect(page.locator("#live")).to_have_attribute("data-state", "ended")
    page.locator("#run-head").get_by_role("button", name="Retry").click()
    expect(page.locator("#run-head")).to_contain_text("queued")


# -- reading by keyboard


def stands_at(page: Page, step: str) -> None:
    expect(page.locator(f"#{step}")).to_have_attribute("aria-current", "step")
    expect(page.locator(".step[aria-current]")).to_have_count(1)


def test_the_whole_key_map_works_and_is_on_the_sheet(live_server_url: str, page: Page) -> None:
    page.goto(f"{live_server_url}/runs/{whole_run().pk}/")
    expect(page.locator("#live")).to_have_attribute("data-state", "ended")
    path = [
        ("j", "s1"),  # the first j lands on 1, not 2
        ("j", "s2"),
        ("k", "s1"),
        ("Shift+G", "s10"),
        ("g g", "s1"),
        ("l", "s2"),
        ("]", "s3"),
        ("[", "s2"),
        ("h", "s1"),
        ("n", "s7"),
        ("p", "s7"),
    ]
    for key, step in path:
        if key == "g g":
            press_twice(page, "g", f"#{step}[aria-current]")
        else:
            page.keyboard.press(key)
        stands_at(page, step)
        if key in "jkln]hp[" and step != "s10":
            expect(page.locator(f"#{step}")).to_be_in_viewport()
    expect(page).to_have_url(re.compile("#s7$"))
    page.keyboard.press("o")
    expect(page.locator("#s7")).to_have_class(re.compile("closed"))
    page.keyboard.press("o")
    page.keyboard.press("Shift+O")
    expect(page.locator(".step.closed")).to_have_count(10)
    page.keyboard.press("Shift+O")
    page.keyboard.press("f")
    expect(page.locator(".step:visible")).to_have_count(1)
    expect(page).to_have_url(re.compile("focus=1"))
    page.keyboard.press("Escape")
    expect(page.locator(".step:visible")).to_have_count(10)
    page.keyboard.press(":")
    expect(page.locator("#go-dialog")).to_be_visible()
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    expect(page.locator("#go-dialog")).to_be_hidden()
    stands_at(page, "s4")
    page.keyboard.press("/")
    page.keyboard.type("apples")
    expect(page.locator(".find output")).to_have_text("1 of 10")
    page.keyboard.press("Escape")
    expect(page.locator(".step:visible")).to_have_count(10)
    page.keyboard.press("s")
    expect(page.locator("#statement")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#statement")).to_be_hidden()
    page.keyboard.press("?")
    sheet = page.locator("#key-sheet")
    expect(sheet).to_be_visible()
    on_sheet = set(sheet.locator("kbd").all_inner_texts())
    assert {
        "j",
        "k",
        "g g",
        "G",
        ":",
        "f",
        "o",
        "O",
        "n",
        "p",
        "[",
        "]",
        "h",
        "l",
        "y",
        "/",
        "?",
        "s",
    } <= on_sheet


def test_escape_goes_to_no_step(live_server_url: str, page: Page) -> None:
    page.goto(f"{live_server_url}/runs/{whole_run().pk}/")
    for number, key, step in (("4", "Enter", "s4"), ("6", "Escape", "s4"), ("2", "Enter", "s2")):
        page.keyboard.press(":")
        expect(page.locator("#go-dialog")).to_be_visible()
        page.keyboard.type(number)
        page.keyboard.press(key)
        expect(page.locator("#go-dialog")).to_be_hidden()
        page.wait_for_timeout(100)
        stands_at(page, step)


def test_keys_rest_while_a_person_types(live_server_url: str, page: Page) -> None:
    page.goto(f"{live_server_url}/runs/{whole_run().pk}/")
    page.keyboard.press("j")
    page.keyboard.press("/")
    page.keyboard.type("jjkkGGf?")
    stands_at(page, "s1")
    expect(page.locator("#key-sheet")).to_be_hidden()
    assert "focus" not in page.url


def test_a_held_key_travels_as_far_back_as_forth(live_server_url: str, page: Page) -> None:
    page.goto(f"{live_server_url}/runs/{whole_run().pk}/#s3")
    for key in ("j", "k"):
        for _ in range(5):
            page.keyboard.down(key)
        page.keyboard.up(key)
    stands_at(page, "s3")


def test_the_chosen_view_stays_from_step_to_step(live_server_url: str, page: Page) -> None:
    page.goto(f"{live_server_url}/runs/{whole_run().pk}/#s6")
    page.locator("#s6 .tabs").get_by_text("Full prompt").click()
    expect(page.locator("#s6")).to_contain_text("Write the program.")
    page.keyboard.press("k")
    expect(page.locator("#s5")).to_contain_text("lab/confidence.v1")


def test_a_link_to_a_line_lands_on_it(live_server_url: str, page: Page) -> None:
    page.goto(f"{live_server_url}/runs/{whole_run().pk}/#s6-L2")
    stands_at(page, "s6")
    expect(page.locator("#s6-L2")).to_be_in_viewport()


def test_a_test_of_the_strip_opens_in_place(live_server_url: str, page: Page) -> None:
    page.goto(f"{live_server_url}/runs/{whole_run().pk}/#s10")
    page.locator("#s10 .cases a").nth(1).click()
    expect(page.locator("#s10 .case-slot")).to_contain_text("5 6")


def test_the_page_reads_without_a_script(live_server_url: str, browser: object, page: Page) -> None:
    context = page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    tab = context.new_page()
    tab.goto(f"{live_server_url}/runs/{whole_run().pk}/")
    expect(tab.locator("#steps > .step")).to_have_count(10)
    expect(tab.locator("#s8 table.diff")).to_be_visible()
    tab.locator("#s8 .tabs").get_by_text("Output").click()
    expect(tab.locator("ol.code")).to_contain_text("a + b")
    context.close()


def test_hostile_text_executes_nothing_in_a_real_browser(live_server_url: str, page: Page) -> None:
    for text in CORPUS:
        run = hostile_run(text)
        page.goto(f"{live_server_url}/runs/{run.pk}/")
        expect(page.locator("#live")).to_have_attribute("data-state", "ended")
        page.evaluate("const s = document.querySelector('run-stream'); s.last = 0; s.fetch()")
        page.goto(f"{live_server_url}/problems/{run.problem_id}/")
        assert page.evaluate("window.pwned") is None, text


def test_the_loop_keeps_its_counts_fresh_while_something_runs(live_server_url: str, page: Page) -> None:
    teller = started()
    page.goto(live_server_url)
    expect(page.locator("#loop-running")).to_contain_text("step 1")
    teller.ask("planning", PLAN)
    expect(page.locator("#loop-running")).to_contain_text("step 2")
    teller.end()
    expect(page.locator("#loop-last")).to_contain_text("accepted")
    expect(page.locator("#loop")).to_contain_text("of 1 judged")


def test_the_theme_is_kept_from_page_to_page(live_server_url: str, page: Page) -> None:
    page.goto(live_server_url)
    page.get_by_role("button", name="Switch between dark and light").click()
    page.goto(f"{live_server_url}/runs/")
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_the_number_of_a_line_is_a_link_to_it(live_server_url: str, page: Page) -> None:
    page.goto(f"{live_server_url}/runs/{whole_run().pk}/")
    page.locator("#s6-L2").click(position={"x": 12, "y": 8})
    expect(page).to_have_url(re.compile("#s6-L2$"))
    stands_at(page, "s6")


# A press is given up after two seconds, in which a driver on a busy machine may not have let it go.
A_LONG_PRESS = """(() => { const real = window.setTimeout; window.setTimeout = (run, wait, ...more) =>
    real(run, wait && run.name === 'over' ? 2 ** 30 : wait, ...more); })()"""


def test_a_press_into_which_an_event_falls_is_a_click_all_the_same(live_server_url: str, page: Page) -> None:
    """A header that is replaced between the two ends of a press would swallow it: no element saw both."""
    page.add_init_script(A_LONG_PRESS)
    teller = started()
    open_live(page, live_server_url, teller)
    page.locator("#run-head").get_by_role("button", name="Cancel run").hover()
    page.mouse.down()
    last = teller.ask("planning", PLAN)
    page.wait_for_timeout(300)
    page.mouse.up()
    expect(page.get_by_role("button", name="Cancelling")).to_be_visible()
    settled(page, last)
