// The same speech, asked for from code.

const plain = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined && value !== ""));
const NATIVE = ["seed", "language", "cfg_value", "inference_timesteps"];

function shell(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function indented(value, spaces) {
  return JSON.stringify(value, null, spaces).replaceAll("\n", `\n${" ".repeat(spaces)}`);
}

function curl(site, fields, file) {
  return [
    `curl ${site}/v1/audio/speech \\`,
    `  -H "Authorization: Bearer $VOX_API_KEY" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d ${shell(JSON.stringify(fields))} \\`,
    `  -o ${file}`,
  ].join("\n");
}

// Python's literals are JSON's, but for these words; none of ours holds one outside a string.
function python(site, fields, file) {
  const { own, extra } = parted(fields);
  const lines = Object.entries(own).map(([name, value]) => `    ${name}=${JSON.stringify(value)},`);
  if (Object.keys(extra).length) lines.push(`    extra_body=${JSON.stringify(extra)},`);
  return [
    "import os",
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url=${JSON.stringify(`${site}/v1`)}, api_key=os.environ["VOX_API_KEY"])`,
    "with client.audio.speech.with_streaming_response.create(",
    ...lines,
    ") as speech:",
    `    speech.stream_to_file(${JSON.stringify(file)})`,
  ].join("\n");
}

function node(site, fields, file) {
  return [
    `import { writeFile } from "node:fs/promises";`,
    `import OpenAI from "openai";`,
    "",
    `const client = new OpenAI({ baseURL: ${JSON.stringify(`${site}/v1`)}, apiKey: process.env.VOX_API_KEY });`,
    `const speech = await client.audio.speech.create(${indented(fields, 2).replaceAll("\n  ", "\n")});`,
    `await writeFile(${JSON.stringify(file)}, Buffer.from(await speech.arrayBuffer()));`,
  ].join("\n");
}

function parted(fields) {
  const entries = Object.entries(fields);
  const isExtra = ([name]) => NATIVE.includes(name);
  return { own: Object.fromEntries(entries.filter((entry) => !isExtra(entry))), extra: Object.fromEntries(entries.filter(isExtra)) };
}

// Code in `language` (curl, python, node) for the fields of a request.
export function snippet(language, site, fields) {
  const given = plain(fields);
  const file = `speech.${given.response_format}`;
  return { curl, python, node }[language](site, given, file);
}
