"""Somebody with a keyboard and no mouse, who sees where they are, and hears what a screen reader
reads out."""

from __future__ import annotations

from playwright.sync_api import expect

# What stands in live regions as it changes; what is not seen or lies behind a dialog is not read.
SAID = """
window.said = [];
const LIVE = "[role=status], [role=alert], [aria-live]";
new MutationObserver((changes) => {
  const regions = new Set(changes.map(({ target }) =>
    (target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement)?.closest(LIVE)));
  const dialog = document.querySelector("dialog:modal");
  for (const region of regions) {
    if (!region?.checkVisibility() || (dialog && !dialog.contains(region))) continue;
    if (region.textContent.trim()) said.push(region.textContent.trim().replace(/\\s+/g, " "));
  }
}).observe(document, { subtree: true, childList: true, characterData: true,
                       attributes: true, attributeFilter: ["hidden"] });
"""
# A ring around what has the focus, or around what stands for it.
IS_SEEN = """() => {
  const is = (element) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    const isOutlined = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
    return isOutlined || boxShadow.includes("0px 0px 0px 3px");
  };
  for (let one = document.activeElement; one; one = one.parentElement) if (is(one)) return true;
  return false;
}"""
MOST = 80
# What Tab should lead to, in the order of reading; of radio buttons of one name one is enough.
START = """() => {
  const KINDS = "a[href], button, input, select, textarea, summary, audio[controls], [tabindex]";
  window.expected = [...document.querySelectorAll(KINDS)].filter((one) =>
    one.tabIndex >= 0 && !one.matches(":disabled") && !one.closest("[inert]") &&
    one.checkVisibility({ visibilityProperty: true }) && one.getClientRects().length);
  window.walked = [expected[0]];
  expected[0].focus();
}"""
# Whether one is at the end. A player and a field of a date have several places within them.
STEP = """() => {
  const now = document.activeElement;
  if (now === document.body || now === walked[0]) return true;
  walked.push(now);
  return false;
}"""
TOLD = """() => {
  const name = (one) => one.outerHTML.slice(0, 160);
  const together = (one) => walked.some((other) =>
    one.type === "radio" && other.type === "radio" && other.name === one.name);
  const isAfter = (one, other) => one === other ||
    other.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING;
  return {
    "left out": expected.filter((one) => !walked.includes(one) && !together(one)).map(name),
    "out of order": walked.filter((one, at) => at && !isAfter(one, walked[at - 1])).map(name),
    "put first": expected.filter((one) => one.tabIndex > 0).map(name),
  };
}"""
ALL_IN_ORDER = {"left out": [], "out of order": [], "put first": []}
LAYER = "dialog:modal, [popover]:popover-open"
IS_WITHIN = f"document.querySelector('{LAYER}').contains(document.activeElement)"


def tab_through(page):
    """From the first to the last, seeing on the way where one is; what was wrong with the order.
    Where a list was loaded anew meanwhile, once more."""
    for _ in range(3):
        page.evaluate(START)
        for _ in range(10 * MOST):
            page.wait_for_function(IS_SEEN)
            page.keyboard.press("Tab")
            if page.evaluate(STEP):
                break
        else:
            raise AssertionError("Tab does not come to an end")
        if page.evaluate("expected.every((one) => one.isConnected)"):
            return page.evaluate(TOLD)
    raise AssertionError("It does not come to rest")


def look_into(page, opener):
    """Open what lies behind a button, and leave it: the focus goes into a dialog and stays there,
    and comes back."""
    opener.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(LAYER)
    if page.locator("dialog:modal").count():
        for _ in range(6):
            assert page.evaluate(f"document.activeElement === document.body || {IS_WITHIN}")
            page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.locator(LAYER)).to_have_count(0)
    expect(opener).to_be_focused()


def go(page, to):
    """Tab to it, seeing on the way where one is."""
    page.wait_for_load_state()
    for _ in range(MOST):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            continue  # round the corner, through the browser's own
        page.wait_for_function(IS_SEEN)
        if page.evaluate("to => document.activeElement.matches(to)", to):
            return
    raise AssertionError(f"Tab does not lead to {to}")


def press(page, to, key="Enter"):
    go(page, to)
    page.keyboard.press(key)


def write(page, to, text):
    """In the place of what stood there."""
    go(page, to)
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(text)


def choose(page, name, value):
    """One of several radio buttons, of which Tab reaches the chosen one alone."""
    go(page, f"[name={name}]")
    for _ in range(6):
        if page.evaluate("document.activeElement.value") == value:
            break
        page.keyboard.press("ArrowDown")
    page.wait_for_function(IS_SEEN)
    expect(page.locator(f"[name={name}]:checked")).to_have_value(value)


def wait_to_hear(page, words):
    """Until a screen reader has read this out."""
    page.wait_for_function("words => said.some((one) => one.includes(words))", arg=words)
