// Shows the page again while something on it is being fetched and somebody is looking.

document.addEventListener("DOMContentLoaded", () => {
  if (!document.querySelector('[data-running="yes"]')) return;
  setInterval(() => {
    if (!document.hidden) location.reload();
  }, 2000);
});
