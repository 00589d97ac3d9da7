// Sends a form with a recording, and tells how much of it has left.

import { Refusal, codeOf } from "../studio/speaking.js";

// `onProgress` hears shares from 0 to 1. Resolves with the answer; rejects with a Refusal.
export function send(url, token, form, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch does not tell how much it has sent
    request.open("POST", url);
    request.setRequestHeader("x-csrftoken", token);
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total ? loaded / total : 0));
    request.upload.addEventListener("load", () => onProgress(1));
    request.addEventListener("error", () => reject(new Refusal("network", "")));
    request.addEventListener("load", () => {
      if (request.status < 300) resolve(request.response);
      else reject(refusal(request));
    });
    request.send(form);
  });
}

// The same for JSON, where nothing is uploaded.
export async function post(url, token, body) {
  const headers = { "content-type": "application/json", "x-csrftoken": token };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => null);
  if (!response) throw new Refusal("network", "");
  if (!response.ok) throw await Refusal.of(response);
  return response.json();
}

// A button that is switched off meanwhile loses the focus of who pressed it by key.
export function keepFocus(button) {
  if (document.activeElement === document.body) button.focus();
}

function refusal(request) {
  const { code, message, param } = request.response?.error ?? {};
  const retryAfter = Number(request.getResponseHeader("retry-after")) || null;
  return new Refusal(codeOf(code, request.status), message ?? "", { param, retryAfter, status: request.status });
}
