// The live engine: what /ws/engine/ tells, as it is told.

const at = (id) => document.getElementById(id);
const table = at("streams");

function cell(text) {
  const made = document.createElement("td");
  made.textContent = text;
  return made;
}

function fill(body, rows, columns, empty) {
  if (!rows.length) {
    const nothing = cell(empty);
    nothing.colSpan = columns;
    rows.push(row([nothing]));
  }
  body.replaceChildren(...rows);
}

function row(cells) {
  const made = document.createElement("tr");
  made.append(...cells);
  return made;
}

function list(id, lines) {
  at(id).replaceChildren(
    ...(lines.length ? lines : ["–"]).map((line) => {
      const item = document.createElement("li");
      item.textContent = line;
      return item;
    }),
  );
}

function stopper(stream) {
  const place = cell("");
  if (!table.dataset.steer || !stream.id) return place;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "vox-button vox-quiet";
  button.textContent = table.dataset.stop;
  button.addEventListener("click", () => {
    const form = at("stop");
    form.action = table.dataset.steer;
    form.elements.stream.value = stream.id;
    form.submit();
  });
  place.append(button);
  return place;
}

function told({ engine, machine, streams, accounts, downloads, errors }) {
  for (const place of document.querySelectorAll("[data-engine]")) {
    const value = engine[place.dataset.engine] ?? "–";
    place.textContent = place.dataset[value] ?? value; // states have words for people
    if (place.dataset.engine === "reason") place.hidden = !engine.reason;
    if (place.dataset.engine === "state") place.className = `vox-state vox-state-${value}`;
  }
  document.querySelector("[data-machine=load]").textContent = machine.load;
  document.querySelector("[data-bytes=memory_used]").textContent = `${(machine.memory_used / 2 ** 30).toFixed(1)} GB`;
  machine.gpus.forEach((gpu, number) => {
    const place = document.querySelector(`[data-gpu="${number}"]`);
    if (place) place.textContent = `${gpu.load} %, ${gpu.memory_used} / ${gpu.memory_total} MiB`;
  });
  const speaking = streams.map((stream) => {
    const facts = [stream.account, stream.face, stream.voice, stream.characters, `${stream.age} s`, `${stream.audio} s`, `${stream.speed}×`];
    return row([...facts.map(cell), stopper(stream)]);
  });
  fill(table.tBodies[0], speaking, 8, table.dataset.empty);
  const busy = accounts.map((one) => row([one.account, one.speaking, one.waiting, one.jobs].map(cell)));
  fill(at("accounts").tBodies[0], busy, 4, "–");
  list("downloads", downloads.map((one) => `${one.name}: ${Math.floor((100 * one.done) / (one.size || 1))} %`));
  list("errors", errors.map((one) => `${new Date(one.at * 1000).toLocaleString(document.documentElement.lang)} · ${one.code} · ${one.voice} · ${one.request}`));
}

function open(pause = 500) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/ws/engine/`);
  socket.addEventListener("open", () => {
    pause = 500;
    at("offline").hidden = true;
  });
  socket.addEventListener("message", (event) => {
    const message = JSON.parse(event.data);
    if (message.type === "operations") told(message.operations);
  });
  socket.addEventListener("close", (event) => {
    if (event.code === 4401) return location.reload();
    at("offline").hidden = false;
    setTimeout(() => open(Math.min(15000, pause * 2)), pause);
  });
}

for (const form of document.querySelectorAll(".vox-tools form")) {
  form.addEventListener("submit", () => { // measuring takes a while
    for (const button of document.querySelectorAll(".vox-tools button")) button.disabled = true;
  });
}
open();
