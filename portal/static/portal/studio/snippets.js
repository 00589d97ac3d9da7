// The same speech, asked for from code.

import { json, literal } from "./json.js";

// What OpenAI's clients do not know by name.
const EXTRA = ["seed", "language", "cfg_value", "inference_timesteps", "normalize"];

function shell(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function curl(site, fields, file) {
  return [
    `curl ${site}/v1/audio/speech \\`,
    `  -H "Authorization: Bearer $VOX_API_KEY" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d ${shell(json(fields))} \\`,
    `  -o ${file}`,
  ].join("\n");
}

// JSON's literals are Python's, but for true and false.
function python(site, fields, file) {
  const word = (value) => (typeof value === "boolean" ? (value ? "True" : "False") : literal(value));
  const isExtra = ([name]) => EXTRA.includes(name);
  const all = Object.entries(fields);
  const lines = all.filter((entry) => !isExtra(entry)).map(([name, value]) => `    ${name}=${word(value)},`);
  const extra = all.filter(isExtra).map(([name, value]) => `${literal(name)}: ${word(value)}`);
  if (extra.length) lines.push(`    extra_body={${extra.join(", ")}},`);
  return [
    "import os",
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url=${literal(`${site}/v1`)}, api_key=os.environ["VOX_API_KEY"])`,
    "with client.audio.speech.with_streaming_response.create(",
    ...lines,
    ") as speech:",
    `    speech.stream_to_file(${literal(file)})`,
  ].join("\n");
}

// A seed of more than 53 bits would be another number in JavaScript.
function nodeValue(value) {
  const isRounded = typeof value === "bigint" && value > Number.MAX_SAFE_INTEGER;
  return isRounded ? `JSON.rawJSON(${literal(String(value))})` : literal(value);
}

function node(site, fields, file) {
  return [
    `import { writeFile } from "node:fs/promises";`,
    `import OpenAI from "openai";`,
    "",
    `const client = new OpenAI({ baseURL: ${literal(`${site}/v1`)}, apiKey: process.env.VOX_API_KEY });`,
    "const speech = await client.audio.speech.create({",
    ...Object.entries(fields).map(([name, value]) => `  ${name}: ${nodeValue(value)},`),
    "});",
    `await writeFile(${literal(file)}, Buffer.from(await speech.arrayBuffer()));`,
  ].join("\n");
}

// Code in `language` (curl, python, node) for the fields of a request.
export function snippet(language, site, fields) {
  return { curl, python, node }[language](site, fields, `speech.${fields.response_format}`);
}
