// Copying what is shown once, and forgetting it when the page is left: a browser may keep a page
// alive for its back button, whatever the headers say.

for (const button of document.querySelectorAll("[data-copies]")) {
  button.addEventListener("click", async () => {
    const shown = document.getElementById(button.dataset.copies);
    getSelection().selectAllChildren(shown); // stays selected where copying is not allowed
    await navigator.clipboard?.writeText(shown.textContent);
    const told = document.getElementById("copied");
    told.textContent = navigator.clipboard ? told.dataset.copied : told.dataset.selected;
  });
}

window.addEventListener("pagehide", () => {
  for (const shown of document.querySelectorAll("[data-forget]")) shown.textContent = shown.dataset.forget;
});
