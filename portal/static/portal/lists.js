// Lists, the elements of {% list %}: loaded anew by a search, by their pages, or when somebody looks at
// them again. Meanwhile they say that they are being loaded; one that could not be says why, keeps
// what it had, and is asked for again by a button.

const failed = document.getElementById("list-failed");

export function refresh(list) {
  list.toggleAttribute("data-late", isInUse(list));
  if (!("late" in list.dataset)) htmx.trigger(list, "refresh");
}
document.addEventListener("focusout", ({ target }) => {
  const list = target.closest("[data-late]");
  if (list) setTimeout(() => refresh(list)); // when it is known where the focus went
});

// Nothing moves under somebody's hands or ears.
function isInUse(list) {
  const isPlaying = [...list.querySelectorAll("audio")].some((audio) => !audio.paused);
  return isPlaying || list.contains(document.activeElement) || list.querySelector("dialog[open]") !== null;
}

function refreshAll() {
  if (document.visibilityState === "visible") document.querySelectorAll("[data-list]").forEach(refresh);
}
document.addEventListener("visibilitychange", refreshAll);
addEventListener("online", refreshAll);

// -- what htmx tells of a request for a list

function on(name, react) {
  document.addEventListener(`htmx:${name}`, (event) => {
    const list = event.detail.target;
    if (list && "list" in list.dataset) react(list, event.detail);
  });
}

on("beforeRequest", (list, { requestConfig }) => {
  list.setAttribute("aria-busy", "true");
  requestConfig.wasInUse = isInUse(list);
});
on("afterRequest", (list) => list.removeAttribute("aria-busy"));

// Whoever is not signed in any more is led to the page for it, which has no such list.
on("beforeSwap", (list, detail) => {
  if (!detail.xhr.responseText.includes(`id="${list.id}"`) && detail.xhr.status === 200) {
    detail.shouldSwap = false;
    location.reload();
  } else if (detail.requestConfig.elt === list && isInUse(list) && !detail.requestConfig.wasInUse) {
    detail.shouldSwap = false; // somebody came while it was on its way
    list.toggleAttribute("data-late", true);
  }
});

on("responseError", (list, { elt, xhr }) => {
  const mayNot = gettext("You may not do this, or your session has ended. Reload the page.");
  tell(list, elt, xhr.status === 403 ? mayNot : gettext("The server could not do this. Please try again."));
});
on("sendError", (list, { elt }) => tell(list, elt, gettext("The server cannot be reached.")));
on("timeout", (list, { elt }) => tell(list, elt, gettext("The server takes too long to answer.")));

function tell(list, asker, sentence) {
  list.querySelector(":scope > .list-failed")?.remove();
  const notice = failed.content.firstElementChild.cloneNode(true);
  notice.querySelector("p").textContent = sentence;
  notice.querySelector("button").addEventListener("click", () => ask(asker, list));
  list.prepend(notice);
}

function ask(asker, list) {
  if (asker.matches("form")) asker.requestSubmit();
  else htmx.trigger(asker, asker === list ? "refresh" : "click");
}
