// Talks to the server that this page came from.

let key = kept(() => sessionStorage.getItem("mien-key")) || "";

export const chosen = { model: "" };

export function setKey(text) {
  key = text;
  if (sendable()) kept(() => sessionStorage.setItem("mien-key", text));
}

// Of other characters, such as those a word processor makes, no header can be made.
function sendable() {
  return /^[!-~]*$/.test(key);
}

// A browser may be told to keep nothing for pages; then the key is asked for again.
function kept(turn) {
  try {
    return turn();
  } catch {
    return null;
  }
}

export class Refusal extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

export async function ask(path, options = {}) {
  if (!sendable()) throw new Refusal(401, "A key is of visible ASCII characters without blanks.");
  const headers = key ? { "X-API-Key": key } : {};
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "The server does not answer. Is it still running?");
  }
  if (!answer.ok) {
    const content = await answer.json().catch(() => ({}));
    throw new Refusal(answer.status, content.detail || `The server said ${answer.status}.`);
  }
  return answer;
}

function withModel(path, model = chosen.model, more = {}) {
  const text = new URLSearchParams(model ? { ...more, model } : more).toString();
  return text ? `${path}?${text}` : path;
}

export async function analyze(files, signal, model) {
  const form = new FormData();
  for (const file of files) form.append("files", file, file.name || "photo");
  return (await ask(withModel("/v1/analyze", model), { method: "POST", body: form, signal })).json();
}

export async function explain(file, face, model) {
  const form = new FormData();
  form.append("files", file, file.name || "photo");
  return (await ask(withModel("/v1/explain", model, { face }), { method: "POST", body: form })).json();
}

export async function models() {
  return (await ask("/v1/models")).json();
}

export async function uploadVideo(file, signal) {
  const form = new FormData();
  form.append("file", file, file.name);
  return (await ask(withModel("/v1/videos"), { method: "POST", body: form, signal })).json();
}

export async function videoState(id) {
  return (await ask(`/v1/videos/${id}`)).json();
}

export async function cancelVideo(id) {
  return (await ask(`/v1/videos/${id}`, { method: "DELETE" })).json();
}

export async function videoResult(id, format) {
  const answer = await ask(`/v1/videos/${id}/result?format=${format}`);
  const name = /filename="(.*)"/.exec(answer.headers.get("Content-Disposition"))[1];
  return new File([await answer.blob()], name);
}
