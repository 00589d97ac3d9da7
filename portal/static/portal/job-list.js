// The list of long texts: rows of those under way move.

import { watch } from "./progress.js";

const states = JSON.parse(document.getElementById("states").textContent);
const rows = new Map([...document.querySelectorAll("tr[data-job]")].map((row) => [row.dataset.job, row]));
const active = [...rows].filter(([, row]) => "active" in row.dataset).map(([id]) => id);

watch(active.slice(0, 50), (job) => {
  const row = rows.get(job.id);
  const badge = row.querySelector("[data-state]");
  badge.dataset.state = job.state;
  badge.textContent = states[job.state];
  row.querySelector("progress").value = job.segments.finished;
  row.querySelector("[data-count]").textContent = job.segments.finished;
});
