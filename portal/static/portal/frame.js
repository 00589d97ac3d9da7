// What every page's frame does: themes without a reload, the time zone, toasts, copying.
// Strings go through gettext of strings.js, which is loaded before any module.

import { toast } from "./toast.js";

// -- the theme changes at once; the form behind keeps it

for (const form of document.querySelectorAll("[data-theme-form]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const theme = event.submitter.value;
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    for (const button of form.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button === event.submitter));
    }
    const body = new FormData(form, event.submitter);
    fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => {
      toast(gettext("The server cannot be reached."), "error");
    });
  });
}

// -- the zone that this browser is in, for times on pages

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (document.body.hasAttribute("hx-headers") && !document.cookie.includes(`timezone=${zone}`)) {
  document.cookie = `timezone=${zone}; path=/; max-age=31536000; samesite=lax`;
}

// -- toasts, copying

// A button's new words are not read out: a region beside it says them.
for (const button of document.querySelectorAll("[data-copies]")) {
  const said = document.createElement("span");
  said.className = "visually-hidden";
  said.setAttribute("role", "status");
  button.after(said);
}

document.addEventListener("click", async (event) => {
  event.target.closest("[data-dismiss-toast]")?.parentElement.remove();
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copies);
  getSelection().selectAllChildren(source); // stays selected where copying is not allowed
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = gettext("Copied");
  } catch {
    button.textContent = gettext("Selected");
  }
  button.nextElementSibling.textContent = button.textContent;
  setTimeout(() => {
    button.textContent = before;
    button.nextElementSibling.textContent = "";
  }, 2000);
});
