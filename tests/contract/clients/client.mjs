// Drives OpenAI's Node SDK: one JSON command a line in, one JSON answer a line out, as client.py.

import { createInterface } from "node:readline";
import OpenAI from "openai";

async function perform(call, client, parameters) {
  if (call === "create") {
    const answer = await client.audio.speech.create(parameters);
    return described(answer, Buffer.from(await answer.arrayBuffer()));
  }
  if (call === "stream") {
    const began = performance.now();
    const answer = await client.audio.speech.create(parameters);
    let first = null;
    const pieces = [];
    for await (const piece of answer.body) {
      first ??= performance.now() - began;
      pieces.push(piece);
    }
    const last = performance.now() - began;
    return { ...described(answer, Buffer.concat(pieces)), first: first / 1000, last: last / 1000 };
  }
  if (call === "models") {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    return { ids };
  }
  return { id: (await client.models.retrieve(parameters.model)).id };
}

function described(answer, body) {
  return {
    type: answer.headers.get("content-type"),
    request_id: answer.headers.get("x-request-id"),
    body: body.toString("base64"),
  };
}

function failed(error) {
  const { status, code, param, type, requestID } = error;
  const name = error.constructor.name;
  return { error: { class: name, status, code, param, type, request_id: requestID, text: error.message } };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { call, options, arguments: parameters } = JSON.parse(line);
  const { api_key: apiKey, base_url: baseURL, max_retries: maxRetries } = options;
  const times = [];
  const counted = (...request) => {
    times.push(performance.now());
    return fetch(...request);
  };
  const client = new OpenAI({ apiKey, baseURL, maxRetries, fetch: counted });
  const answer = await perform(call, client, parameters).catch(failed);
  const sent = times.map((time) => (time - times[0]) / 1000);
  console.log(JSON.stringify({ ...answer, sent }));
}
