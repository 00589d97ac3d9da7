// The socket of long texts: tells what it hears, comes back by itself, and ends when all has ended.
// What the server says is always the whole present state, so that nothing can be missed.
// What is returned ends it at once.

const LONGEST_PAUSE_MS = 15000;

export function watch(jobs, told, lost = () => {}) {
  const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/progress/`;
  let pause = 500;
  let socket = null;
  let isOver = false;
  const open = () => {
    if (isOver) return;
    socket = new WebSocket(url);
    socket.addEventListener("open", () => {
      pause = 500;
      lost(false);
      for (const job of jobs) socket.send(JSON.stringify({ type: "subscribe", job }));
    });
    socket.addEventListener("message", (event) => {
      const message = JSON.parse(event.data);
      if (message.type === "job.progress") told(message.job);
    });
    socket.addEventListener("close", (event) => {
      if (isOver || event.code === 1000 || event.code === 4404) return; // all has ended, or is gone
      if (event.code === 4401) return location.reload(); // to the page for signing in
      lost(true);
      setTimeout(open, pause * (1 + Math.random() / 4));
      pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
    });
  };
  if (jobs.length) open();
  return () => {
    isOver = true;
    socket?.close(1000);
  };
}

export function duration(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
