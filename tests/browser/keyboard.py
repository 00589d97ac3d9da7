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
