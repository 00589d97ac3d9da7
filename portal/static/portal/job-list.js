// The list of long texts: rows of those under way move, those of another page of it too.

import { watch } from "./progress.js";

const states = JSON.parse(document.getElementById("states").textContent);
let stop = () => {};

function watchRows() {
  stop();
  const active = [...document.querySelectorAll("tr[data-active]")].map((row) => row.dataset.job);
  stop = watch(active.slice(0, 50), show);
}

function show(job) {
  const row = document.querySelector(`tr[data-job="${job.id}"]`);
  if (!row) return;
  const badge = row.querySelector("[data-state]");
  badge.dataset.state = job.state;
  badge.textContent = states[job.state];
  row.querySelector("progress").value = job.segments.finished;
  row.querySelector("[data-count]").textContent = job.segments.finished;
}

document.addEventListener("htmx:afterSwap", watchRows);
watchRows();
