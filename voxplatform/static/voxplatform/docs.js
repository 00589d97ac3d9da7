// Swagger UI has a dark mode but, without its own top bar, nobody who switches it on. A theme that
// was chosen goes before the system's.

const dark = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;
const follow = () =>
  root.classList.toggle("dark-mode", root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
dark.addEventListener("change", follow);
follow();
