// Languages by their names instead of their tags.

import { languageName } from "../studio/words.js";

export function nameLanguages() {
  for (const badge of document.querySelectorAll("[data-language]")) badge.textContent = languageName(badge.dataset.language);
}

nameLanguages();
