"""A reviewer at the desk by keyboard: read, blame, correct, accept, take back, offline and in company."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import expect

from tests.browser.held_request import held, hold, hold_from_the_start, let_go
from tests.factories import make_run
from tests.review.desk_runs import correction_of, failed_run, problem
from training.models import Example, ExampleState
from trajectories import review
from trajectories.models import Blame, Decision, Judgement, Run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SAVED = re.compile(r"^Saved \d\d:\d\d$")


def opened(page: Page, url: str, queue: str = "failed") -> None:
    page.goto(f"{url}/review/?queue={queue}")
    expect(page.locator("#maps .heat, #maps .empty").first).to_be_visible()


def at(page: Page, run: Run, step: int = 3) -> None:
    expect(page.locator("#item")).to_have_attribute("data-key", f"{run.pk}-{step}")


def saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_text(SAVED)


def failed(count: int) -> list[Run]:
    """Newest first, as the queue has them."""
    return [failed_run(problem(n, title=f"Item {n}"), f"print({n})  # wrong") for n in range(count)][::-1]


def test_blaming_goes_on_to_the_next_item_and_is_taken_back_across_items(
    live_server_url: str, page: Page
) -> None:
    first, second, third = failed(3)
    opened(page, live_server_url)
    at(page, first)
    page.keyboard.press("b")
    page.keyboard.press("2")
    at(page, second)
    page.keyboard.press("b")
    page.keyboard.press("5")
    at(page, third)
    saved(page)
    expect(page.locator("#left")).to_have_text("1")
    assert dict(Blame.objects.values_list("run", "agent")) == {first.pk: "planning", second.pk: "none"}
    page.keyboard.press("u")
    at(page, second)
    page.keyboard.press("u")
    at(page, first)
    expect(page.locator("#left")).to_have_text("3")
    assert not Blame.objects.exists()
    page.keyboard.press("Shift+U")
    expect(page.locator("#left")).to_have_text("2")
    assert Blame.objects.get().run == first
    page.keyboard.press("Shift+J")
    at(page, second)
    page.keyboard.press("Shift+K")
    at(page, first)


def test_an_answer_that_comes_late_exchanges_no_item_under_an_open_dialog(
    live_server_url: str, page: Page
) -> None:
    """An undo brings its item back; who has opened the dialog on another meanwhile means that other one."""
    first, second = failed(2)
    opened(page, live_server_url)
    page.keyboard.press("b")
    page.keyboard.press("2")
    at(page, second)
    saved(page)
    hold(page, "/review/say/")
    page.keyboard.press("u")
    held(page)
    page.keyboard.press("b")
    expect(page.locator("#blame-dialog")).to_be_visible()
    let_go(page)
    expect(page.locator("#met")).to_be_visible()
    page.wait_for_timeout(300)
    at(page, second)
    page.keyboard.press("3")
    expect(page.locator("#blame-dialog")).to_be_hidden()
    at(page, first)
    saved(page)
    assert dict(Blame.objects.values_list("run", "agent")) == {second.pk: "coding"}


def test_an_answer_about_the_item_that_was_left_does_not_bring_it_back(
    live_server_url: str, page: Page
) -> None:
    """The judgement may be answered before the next item has come: that one is still where the reviewer goes."""
    first, second = failed(2)
    hold_from_the_start(page, f"/review/items/{second.pk}/3/?queue=failed")
    opened(page, live_server_url)
    held(page)
    page.keyboard.press("b")
    page.keyboard.press("5")
    saved(page)
    page.wait_for_timeout(300)
    let_go(page)
    at(page, second)
    assert Blame.objects.get().run == first


def test_who_goes_elsewhere_while_the_queue_is_renewed_stays_there(live_server_url: str, page: Page) -> None:
    first, second = failed(2)
    opened(page, live_server_url)
    hold(page, "/review/?queue=failed")
    for after in (first, second):
        at(page, after)
        page.keyboard.press("b")
        page.keyboard.press("5")
    held(page)
    page.keyboard.press("u")
    expect(page.locator("#met")).to_be_visible()
    at(page, second)
    page.keyboard.press("Shift+K")
    at(page, first)
    let_go(page)
    page.wait_for_timeout(500)
    at(page, first)
    expect(page.locator("#queue li")).to_have_count(2)


def test_the_focus_goes_on_with_the_item(live_server_url: str, page: Page) -> None:
    """A reviewer who works with Tab and Enter does not begin at the top of the page after each judgement."""
    first, second = failed(2)
    opened(page, live_server_url)
    nobody = page.locator("#verbs").get_by_role("button", name="nobody")
    nobody.focus()
    page.keyboard.press("Enter")
    at(page, second)
    expect(nobody).to_be_focused()
    saved(page)
    assert Blame.objects.get().run == first


# A toast is gone after 600 ms, in which a driver on a busy machine may not look.
KEEP_TOASTS = """() => { window.toasts = []; const box = document.getElementById('toast');
    new MutationObserver(() => box.textContent.trim() && window.toasts.push(box.textContent)).observe(box, {childList: true}); }"""


def test_a_correction_is_shown_whichever_view_was_open(live_server_url: str, page: Page) -> None:
    failed(1)
    opened(page, live_server_url)
    page.keyboard.press("d")
    expect(page.locator("#pane-prompt")).to_be_visible()
    page.keyboard.press("e")
    page.get_by_label("The corrected answer").fill("print(2)")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#pane-correction")).to_contain_text("print(2)")
    expect(page.locator("#pane-correction")).to_be_visible()


def test_one_key_accepts_a_correction_and_shows_the_row(live_server_url: str, page: Page) -> None:
    branches = [correction_of(failed_run(problem(n, title=f"Item {n}"), f"print({n})")) for n in (1, 2)]
    opened(page, live_server_url, "corrections")
    at(page, branches[1])
    expect(page.locator("#pane-correction")).to_be_visible()
    page.keyboard.press("d")
    expect(page.locator("#pane-original")).to_contain_text("print(2)")
    page.evaluate(KEEP_TOASTS)
    page.keyboard.press("a")
    toast = page.locator("#toast .toast")
    at(page, branches[0])
    expect(toast).to_have_count(0)
    (shown,) = page.evaluate("window.toasts")
    assert "Accepted into coding" in shown and "assistant" in shown
    saved(page)
    row = Example.objects.get()
    assert (row.state, row.run, row.refused) == (
        ExampleState.ACCEPTED,
        branches[1],
        "```python\nprint(2)\n```",
    )
    page.keyboard.press("u")
    at(page, branches[1])
    row.refresh_from_db()
    assert row.state == ExampleState.WITHDRAWN


def test_a_red_flag_holds_the_toast_until_the_key_is_pressed_again(live_server_url: str, page: Page) -> None:
    (run,) = failed(1)
    opened(page, live_server_url)
    page.keyboard.press("a")
    toast = page.locator("#toast .toast")
    expect(toast).to_contain_text("held open by 1 flag")
    expect(toast).to_contain_text("does not pass: wrong answer")
    page.keyboard.press("Escape")
    expect(toast).to_have_count(0)
    assert not Decision.objects.exists()
    page.keyboard.press("a")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="Nothing waits in this queue")).to_be_visible()
    assert Decision.objects.get().run == run and Example.objects.count() == 1


def test_a_rejection_asks_for_a_reason_by_number(live_server_url: str, page: Page) -> None:
    first, second = failed(2)
    opened(page, live_server_url)
    page.keyboard.press("x")
    expect(page.get_by_role("button", name="Reject: Not in the agent's format")).to_be_visible()
    page.keyboard.press("3")
    at(page, second)
    saved(page)
    assert Decision.objects.get(run=first).code == "format"


def test_nothing_said_offline_is_lost(live_server_url: str, page: Page) -> None:
    """Three judgements without a network, one of them on the last item fetched ahead; the browser is even closed."""
    runs = failed(4)
    opened(page, live_server_url)
    expect(page.locator(".queue .state", has_text="ready")).to_have_count(2)
    page.context.set_offline(True)
    for run, agent in zip(runs, "123", strict=False):
        at(page, run)
        page.keyboard.press("b")
        page.keyboard.press(agent)
    expect(page.locator("#saved")).to_have_text("Offline, 3 kept in this browser")
    expect(page.locator("#middle")).to_contain_text("The lab cannot be reached")
    page.keyboard.press("b")
    page.keyboard.press("4")
    assert not Judgement.objects.exists()
    page.wait_for_timeout(30_000)  # retries back off to 8 s meanwhile
    page.context.set_offline(False)
    expect(page.locator("#saved")).to_have_text(SAVED)
    at(page, runs[3])
    told = dict(Blame.objects.values_list("run", "agent"))
    assert told == {runs[0].pk: "retrieval", runs[1].pk: "planning", runs[2].pk: "coding"}
    assert Judgement.objects.count() == 3


def test_a_page_closed_while_offline_sends_its_journal_when_it_is_opened_again(
    live_server_url: str, page: Page
) -> None:
    first, _ = failed(2)
    opened(page, live_server_url)
    page.context.set_offline(True)
    page.keyboard.press("b")
    page.keyboard.press("2")
    expect(page.locator("#saved")).to_contain_text("Offline, 1 kept")
    page.goto("about:blank")
    page.context.set_offline(False)
    page.goto(f"{live_server_url}/review/")
    # Whether this page sent it or the last breath of the one before: it is with the lab, once.
    page.wait_for_function("() => (localStorage.getItem('mcl-journal') ?? '[]') === '[]'")
    assert Blame.objects.get().run == first


FILL = """() => { let n = 2 ** 22; let k = 0;
    while (n >= 1) try { localStorage.setItem('fill' + k++, 'x'.repeat(n)) } catch { n = Math.floor(n / 2) } }"""


def test_a_browser_whose_storage_is_full_loses_no_judgement(live_server_url: str, page: Page) -> None:
    first, second, third = failed(3)
    opened(page, live_server_url)
    expect(page.locator(".queue .state", has_text="ready")).to_have_count(2)
    page.evaluate(FILL)
    page.keyboard.press("b")
    page.keyboard.press("2")
    at(page, second)
    saved(page)
    page.keyboard.press("e")
    page.get_by_label("The corrected answer").fill("print(1)")
    expect(page.locator("#draft")).to_contain_text("no draft kept")
    page.keyboard.press("Escape")
    expect(page.locator("#edit-dialog")).to_be_hidden()
    page.context.set_offline(True)
    for agent, then in (("3", third), ("4", None)):
        page.keyboard.press("b")
        page.keyboard.press(agent)
        if then:
            at(page, then)
    expect(page.locator("#saved")).to_contain_text("2 kept on this page alone")
    page.context.set_offline(False)
    expect(page.locator("#saved")).to_have_text(SAVED)
    told = dict(Blame.objects.values_list("run", "agent"))
    assert told == {first.pk: "planning", second.pk: "coding", third.pk: "debugging"}


@pytest.mark.parametrize(
    "answer",
    [
        "real('/go/?q=x')",  # a lab with sign-in sends whoever has no session elsewhere, as this address does
        "Promise.resolve(new Response('', {status: 403}))",  # the token of a session that is over
    ],
)
def test_a_reviewer_whose_session_has_ended_is_told_to_sign_in_and_loses_nothing(
    live_server_url: str, page: Page, answer: str
) -> None:
    first, second = failed(2)
    opened(page, live_server_url)
    page.evaluate(
        f"""() => {{ window.real = window.fetch;
        window.fetch = (url, more) => String(url).endsWith('/say/') ? {answer} : real(url, more); }}"""
    )
    page.keyboard.press("b")
    page.keyboard.press("2")
    at(page, second)
    expect(page.locator("#saved")).to_have_text(
        "Signed out, 1 kept in this browser: sign in again in another tab"
    )
    page.evaluate("() => { window.fetch = window.real }")
    saved(page)
    assert Blame.objects.get().run == first


def test_without_tls_a_judgement_has_a_key_all_the_same(live_server_url: str, page: Page) -> None:
    """Over plain http to another machine a browser has no crypto.randomUUID."""
    page.add_init_script("Object.defineProperty(Crypto.prototype, 'randomUUID', {value: undefined})")
    first, second = failed(2)
    opened(page, live_server_url)
    page.keyboard.press("b")
    page.keyboard.press("2")
    at(page, second)
    saved(page)
    key = Blame.objects.get(run=first).judgement.key
    assert str(uuid.UUID(key)) == key and uuid.UUID(key).version == 4


def test_a_correction_is_drafted_kept_and_saved(live_server_url: str, page: Page) -> None:
    (run,) = failed(1)
    opened(page, live_server_url)
    page.keyboard.press("e")
    box = page.get_by_label("The corrected answer")
    expect(box).to_have_value("```python\nprint(0)  # wrong\n```")
    box.fill("```python\nprint(1)\n```")
    expect(page.locator("#draft")).to_contain_text("draft kept")
    page.reload()
    page.keyboard.press("e")
    expect(box).to_have_value("```python\nprint(1)\n```")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#pane-correction")).to_contain_text("print(1)")
    expect(page.get_by_role("button", name="Accept correction")).to_be_visible()
    assert Judgement.objects.get().value["text"] == "```python\nprint(1)\n```"
    assert run.judgements.count() == 1


def test_a_comment_stands_on_the_lines_that_were_chosen(live_server_url: str, page: Page) -> None:
    failed_run(problem(1), "a = 1\nb = 2\nc = 3")
    opened(page, live_server_url)
    page.locator("#s3-L1").click()
    page.locator("#s3-L2").click(modifiers=["Shift"])
    page.keyboard.press("c")
    expect(page.locator("#comment-lines")).to_have_text("on line 1 to 2")
    page.get_by_role("textbox", name="Comment").fill("Two in one line would do.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_label("Comments")).to_contain_text("line 1–2 Two in one line would do.")
    assert Judgement.objects.get().value == {"text": "Two in one line would do.", "lines": [1, 2]}


def test_two_reviewers_who_meet_at_a_step_are_both_told(
    live_server_url: str, browser: Browser, page: Page
) -> None:
    run, _ = failed(2)
    for name in ("anna", "ben"):
        client = Client()
        client.force_login(User.objects.create_user(name))
        context = (
            page.context if name == "anna" else browser.new_context(viewport={"width": 1440, "height": 1000})
        )
        cookie = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server_url}])
        if name == "ben":
            other = context.new_page()
    opened(page, live_server_url)
    expect(page.locator("#hold")).to_contain_text("yours until")
    other.goto(f"{live_server_url}/review/?queue=failed&at={run.pk}-3")
    expect(other.locator("#hold")).to_contain_text("anna reads this until")
    other.keyboard.press("b")
    other.keyboard.press("3")
    expect(other.locator("#met")).to_contain_text("anna has this step in hand")
    page.keyboard.press("b")
    page.keyboard.press("2")
    expect(page.locator("#met")).to_contain_text("ben blames coding here: both stand")
    assert sorted(Blame.objects.values_list("actor", "agent")) == [("anna", "planning"), ("ben", "coding")]
    other.context.close()


def test_every_key_of_the_sheet_works_where_it_is_shown(live_server_url: str, page: Page) -> None:
    """The sheet is generated; each key of it belongs to exactly one visible control or open dialog."""
    failed(2)
    opened(page, live_server_url)
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys on this page")
    expect(sheet).to_be_visible()
    keys = page.eval_on_selector_all(
        "main [aria-keyshortcuts]",
        "all => all.filter(e => !e.closest('dialog')).map(e => e.getAttribute('aria-keyshortcuts'))",
    )
    assert len(keys) == len(set(keys)), "two controls of the desk claim one key"
    assert {"a", "x", "b", "e", "c", "u", "Shift+U", "d", "g", "Shift+J", "Shift+K"} <= set(keys)
    for words in ("Accept", "Reject, with reason", "Blame an agent", "Undo", "Redo", "Next item"):
        expect(sheet.locator("dd", has_text=words).first).to_be_visible()


def test_a_key_is_exchanged_for_another_and_stays_so(live_server_url: str, page: Page) -> None:
    first, second = failed(2)
    opened(page, live_server_url)
    page.keyboard.press("?")
    page.locator("#key-sheet kbd[data-key=b]").click()
    page.keyboard.press("q")
    expect(page.locator("#key-sheet kbd[data-key=b]")).to_have_text("q")
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("[data-do=blame] kbd")).to_have_text("q")
    page.keyboard.press("b")
    expect(page.locator("#blame-dialog")).to_be_hidden()
    page.keyboard.press("q")
    page.keyboard.press("1")
    at(page, second)
    saved(page)
    assert Blame.objects.get().run == first


def test_a_key_is_exchanged_without_a_mouse(live_server_url: str, page: Page) -> None:
    failed(1)
    opened(page, live_server_url)
    page.keyboard.press("?")
    key = page.locator("#key-sheet kbd[data-key=b]")
    expect(key).to_be_visible()
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.querySelector('kbd[data-key=b]') !== null"):
            break
    page.keyboard.press("Enter")
    expect(key).to_have_text("press a key")
    page.keyboard.press("q")
    expect(key).to_have_text("q")
    expect(page.locator("#key-sheet .cap:focus kbd")).to_have_text("q")
    page.keyboard.press("Escape")
    expect(page.locator("#key-sheet")).to_be_hidden()
    page.keyboard.press("q")
    expect(page.locator("#blame-dialog")).to_be_visible()


def test_a_key_exchanged_before_the_labs_own_answer_comes_is_kept(live_server_url: str, page: Page) -> None:
    failed(1)
    hold_from_the_start(page, "/keys/")
    opened(page, live_server_url)
    held(page)
    page.keyboard.press("?")
    page.locator("#key-sheet kbd[data-key=b]").click()
    page.keyboard.press("q")
    expect(page.locator("#key-sheet kbd[data-key=b]")).to_have_text("q")
    let_go(page, '{"keys": {}}')
    page.wait_for_timeout(100)
    page.reload()
    expect(page.locator("[data-do=blame] kbd")).to_have_text("q")


def test_the_palette_runs_commands_and_goes_anywhere(live_server_url: str, page: Page) -> None:
    run, _ = failed(2)
    opened(page, live_server_url)
    page.keyboard.press("Control+k")
    field = page.get_by_label("Go to or do")
    field.fill("reject")
    expect(page.locator("#palette-list li").first).to_contain_text("Reject, with reason")
    page.keyboard.press("Enter")
    expect(page.locator("#reject-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#reject-dialog")).to_be_hidden()
    page.keyboard.press("Control+k")
    field.fill(f"{run.pk} s2")
    expect(page.locator("#palette-list li").first).to_contain_text(f"Run {run.pk}, step 2")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{run.pk}/#s2")


def test_a_filter_is_completed_and_keeps_its_words_when_the_list_has_been_refreshed(
    live_server_url: str, page: Page
) -> None:
    run, other = failed(2)
    review.blame(run, "planning", actor="anna")
    going = make_run(run.problem)  # the list is asked for often while something goes on
    page.goto(f"{live_server_url}/runs/")
    field = page.get_by_label("Filter runs")
    field.fill("bla")
    field.blur()
    late = make_run(other.problem)
    expect(page.locator("#run-list tbody tr")).to_have_count(4)
    expect(page.locator("#run-list")).to_contain_text(str(late.pk))
    expect(field).to_have_value("bla")
    field.focus()
    page.keyboard.press("End")
    page.keyboard.type("m")
    expect(page.get_by_role("option", name=re.compile("^blame:"))).to_be_visible()
    assert going.status == "queued"


def test_tab_leads_out_of_a_filter_in_which_nothing_was_begun(live_server_url: str, page: Page) -> None:
    """The list opens as soon as the field has the focus; if Tab took its first line, nobody could leave by keyboard."""
    run, _ = failed(2)
    review.blame(run, "planning", actor="anna")
    page.goto(f"{live_server_url}/runs/")
    field = page.get_by_label("Filter runs")
    for key in ("Tab", "Shift+Tab"):
        field.focus()
        expect(page.locator("ul.complete:visible li").first).to_be_visible()
        page.keyboard.press(key)
        expect(field).not_to_be_focused()
        expect(field).to_have_value("")
    field.focus()
    page.keyboard.type("bla")
    expect(page.get_by_role("option", name=re.compile("^blame:"))).to_be_visible()
    page.keyboard.press("Tab")
    expect(field).to_have_value("blame:")
    expect(page.get_by_role("option", name=re.compile("^planning"))).to_be_visible()
    page.keyboard.press("Tab")
    expect(field).not_to_be_focused()
    expect(field).to_have_value("blame:")
    field.focus()
    page.keyboard.press("End")
    page.keyboard.type("n")
    expect(page.get_by_role("option", name=re.compile("^none"))).to_be_visible()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(field).to_have_value("blame:none ")


def test_a_filter_left_and_entered_again_at_once_keeps_its_list(live_server_url: str, page: Page) -> None:
    page.goto(f"{live_server_url}/runs/")
    field = page.get_by_label("Filter runs")
    field.focus()
    shown = page.locator("ul.complete:visible li")
    expect(shown.first).to_be_visible()
    field.evaluate("field => { field.blur(); field.focus(); }")
    expect(shown.first).to_be_visible()
    page.wait_for_timeout(400)
    expect(shown.first).to_be_visible()


def test_a_line_chosen_before_the_labs_answer_comes_stays_chosen(live_server_url: str, page: Page) -> None:
    """Else Enter would take nothing, and send the form with half a word."""
    page.goto(f"{live_server_url}/runs/")
    field = page.get_by_label("Filter runs")
    field.click()
    page.keyboard.type("blame:")
    expect(page.get_by_role("option", name=re.compile("^planning"))).to_be_visible()
    hold(page, "?text=blame%3An")
    page.keyboard.type("n")
    held(page)
    page.keyboard.press("ArrowDown")
    page.evaluate("document.querySelector('ul.complete:not([hidden]) li').dataset.early = ''")
    let_go(page)
    expect(page.locator("ul.complete li[data-early]")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(field).to_have_value("blame:none ")


def test_a_line_of_the_palette_chosen_before_the_labs_answer_comes_stays_chosen(
    live_server_url: str, page: Page
) -> None:
    page.goto(f"{live_server_url}/runs/")
    page.keyboard.press("Control+k")
    hold(page, "?q=e")
    page.get_by_label("Go to or do").fill("e")
    held(page)
    page.keyboard.press("ArrowDown")
    chosen = page.locator("#palette-list li[aria-selected=true]")
    second = chosen.inner_text()
    assert second == page.locator("#palette-list li").nth(1).inner_text()
    page.evaluate("document.querySelector('#palette-list li').dataset.early = ''")
    let_go(page)
    expect(page.locator("#palette-list li[data-early]")).to_have_count(0)
    expect(chosen).to_have_text(second, use_inner_text=True)


def test_enter_in_the_palette_acts_on_what_was_typed_however_quickly(
    live_server_url: str, page: Page
) -> None:
    """The list is drawn when typing pauses; Enter before that would act on a line of the text before."""
    failed(1)
    opened(page, live_server_url)
    page.keyboard.press("Control+k")
    field = page.get_by_label("Go to or do")
    expect(page.locator("#palette-list li").first).to_be_visible()
    field.evaluate(
        """field => { field.value = 'reject, with'; field.dispatchEvent(new Event('input'));
        field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', cancelable: true})); }"""
    )
    expect(page.locator("#reject-dialog")).to_be_visible()


def test_a_line_of_a_filter_is_taken_with_the_mouse_and_the_field_keeps_the_focus(
    live_server_url: str, page: Page
) -> None:
    page.goto(f"{live_server_url}/runs/")
    field = page.get_by_label("Filter runs")
    field.click()
    page.keyboard.type("bla")
    page.get_by_role("option", name=re.compile("^blame:")).click()
    expect(field).to_have_value("blame:")
    expect(field).to_be_focused()
    expect(page.get_by_role("option", name=re.compile("^none"))).to_be_visible()


def test_a_filter_is_typed_completed_and_starred(live_server_url: str, page: Page) -> None:
    run, _ = failed(2)
    review.blame(run, "planning", actor="anna")
    page.goto(f"{live_server_url}/runs/")
    page.keyboard.press("/")
    page.keyboard.type("bla")
    expect(page.get_by_role("option", name=re.compile("^blame:"))).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("pl")
    expect(page.get_by_role("option", name=re.compile("^planning"))).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Filter runs")).to_have_value("blame:planning ")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/?q=blame%3Aplanning*")
    expect(page.locator("#run-list tbody tr")).to_have_count(1)
    page.keyboard.press("s")
    page.get_by_label(re.compile("Name of")).fill("Plans to blame")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Plans to blame").click()
    expect(page.get_by_label("Filter runs")).to_have_value(re.compile("^blame:planning"))
