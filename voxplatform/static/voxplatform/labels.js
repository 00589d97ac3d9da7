// Names for what unfold leaves without: the boxes of select2, and the choices in a row of a table;
// also those that come later.

const heading = (control) => {
  const cell = control.closest("td");
  return cell?.closest("table").querySelectorAll("thead th")[cell.cellIndex]?.textContent;
};

function name() {
  for (const select of document.querySelectorAll("select")) {
    const words = (select.labels[0]?.textContent ?? heading(select))?.replace("*", "").trim();
    const box = select.nextElementSibling?.querySelector(".select2-selection");
    const parts = [select, box, box?.querySelector(".select2-selection__rendered")];
    if (words) parts.forEach((part) => part?.setAttribute("aria-label", words));
  }
}

addEventListener("DOMContentLoaded", () => {
  name();
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
});
