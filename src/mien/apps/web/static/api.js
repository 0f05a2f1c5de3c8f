// Talks to the server that this page came from; its addresses are relative, for it may stand under a path.

// Servers under other paths of a host share its storage, but not their keys and videos.
const HERE = new URL(".", location).pathname;

let key = remembered("key");

export const chosen = { model: "" };

export function setKey(text) {
  key = text;
  if (sendable()) remember("key", text);
}

// Of other characters, such as those a word processor makes, no header can be made.
function sendable() {
  return /^[!-~]*$/.test(key);
}

// Until the tab is closed.
export function remember(name, text) {
  kept(() => sessionStorage.setItem(`mien-${name}-${HERE}`, text));
}

export function remembered(name) {
  return kept(() => sessionStorage.getItem(`mien-${name}-${HERE}`)) || "";
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

// What goes wrong for a moment is asked for again while that `helps`; `tell` is told why.
export async function patient(request, helps, tell) {
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (![0, 429, 502, 503, 504].includes(error.status) || !helps(error)) throw error;
      tell(`${error.message} Asking again …`);
      await new Promise((go) => setTimeout(go, 1000));
    }
  }
}

// One that the browser cannot read would fail the whole request as if there were no server.
async function formOf(field, files, unnamed) {
  const form = new FormData();
  for (const file of files) {
    const name = file.name || unnamed;
    try {
      await file.slice(0, 1).arrayBuffer();
    } catch {
      throw new Refusal(422, `${name} cannot be read: it is a folder, or it was moved or deleted.`);
    }
    form.append(field, file, name);
  }
  return form;
}

function withModel(path, model = chosen.model, more = {}) {
  const text = new URLSearchParams(model ? { ...more, model } : more).toString();
  return text ? `${path}?${text}` : path;
}

export async function analyze(files, signal, model) {
  const body = await formOf("files", files, "photo");
  return (await ask(withModel("v1/analyze", model), { method: "POST", body, signal })).json();
}

export async function explain(file, face, model) {
  const body = await formOf("files", [file], "photo");
  return (await ask(withModel("v1/explain", model, { face }), { method: "POST", body })).json();
}

export async function models() {
  return (await ask("v1/models")).json();
}

export async function uploadVideo(file, signal) {
  const body = await formOf("file", [file], "video");
  return (await ask(withModel("v1/videos"), { method: "POST", body, signal })).json();
}

export async function videoState(id) {
  return (await ask(`v1/videos/${id}`)).json();
}

// Even if the page is left meanwhile.
export async function cancelVideo(id) {
  return (await ask(`v1/videos/${id}`, { method: "DELETE", keepalive: true })).json();
}

export async function videoResult(id, format) {
  const answer = await ask(`v1/videos/${id}/result?format=${format}`);
  const content = await answer.blob();
  return new File([content], nameIn(answer.headers.get("Content-Disposition")), { type: content.type });
}

function nameIn(header) {
  const whole = /filename\*=UTF-8''([^;]+)/.exec(header);
  return whole ? decodeURIComponent(whole[1]) : /filename="(.*?)"/.exec(header)[1];
}
