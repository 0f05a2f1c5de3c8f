// The tab for many photos: a table, and a CSV of it.

import { analyze, chosen, patient } from "./api.js";
import { dropZone, element, hide, percent, save, say, sure } from "./faces.js";

const at = (id) => document.getElementById(`batch-${id}`);
const TOGETHER = 8;
const BYTES = 32 * 2 ** 20;
let rows = [];
let expressions = [];
let stopping = null;
let finished = 0; // files, read or not readable

export function start() {
  dropZone(at("drop"), read);
  at("file").addEventListener("change", (event) => {
    if (event.target.files.length) read([...event.target.files]);
    event.target.value = "";
  });
  at("stop").addEventListener("click", () => stopping?.abort());
  at("save").addEventListener("click", () => save(csv(), "readings.csv"));
}

async function read(files) {
  stopping?.abort();
  const mine = new AbortController();
  stopping = mine;
  rows = [];
  at("table").tBodies[0].replaceChildren();
  at("table").hidden = at("progress").hidden = false;
  hide(at("save"), at("file"));
  const { model } = chosen; // a table of two models would not say which row is whose
  at("model").textContent = model;
  finished = 0;
  const state = () => {
    const bad = rows.filter((one) => one.status === "error").length;
    return `${finished - bad} of ${files.length} photos read${bad ? `, ${bad} could not be read` : ""}`;
  };
  at("progress").firstElementChild.value = 0;
  say(at("state"), state());
  for (const some of portions(files)) {
    await readSome(some, mine.signal, model);
    if (mine !== stopping) return;
    if (mine.signal.aborted) break;
    at("progress").firstElementChild.value = finished / files.length;
    say(at("state"), state());
  }
  if (mine.signal.aborted) say(at("state"), `Stopped: ${state()}`);
  hide(at("progress"), at("file"));
  at("save").hidden = rows.length === 0;
}

// A few at once, and not more than one request may hold.
function* portions(files) {
  let some = [];
  let bytes = 0;
  for (const file of files) {
    if (some.length === TOGETHER || (some.length && bytes + file.size > BYTES)) {
      yield some;
      [some, bytes] = [[], 0];
    }
    some.push(file);
    bytes += file.size;
  }
  if (some.length) yield some;
}

async function readSome(files, signal, model) {
  // One may be no photo or no file; or they are more than this server takes, or reads in time.
  const parts = (error) => files.length > 1 && [413, 422, 503].includes(error.status);
  const helps = (error) => !signal.aborted && !parts(error);
  try {
    const answer = await patient(() => analyze(files, signal, model), helps, tell);
    expressions = answer.expressions;
    for (const result of answer.results) add(result, model);
  } catch (error) {
    if (signal.aborted) return;
    if (parts(error)) {
      for (const file of files) await readSome([file], signal, model);
    } else {
      for (const file of files) add({ name: file.name, status: "error", message: error.message, faces: [] }, model);
    }
  }
}

// Nothing is said twice: a screen reader would read it again.
function tell(text) {
  if (at("state").textContent !== text) say(at("state"), text, true);
}

function add(result, model) {
  finished += 1;
  const faces = result.faces.length ? result.faces : [null];
  for (const face of faces) {
    rows.push({ name: result.name, status: result.status, message: result.message, model, face });
    at("table").tBodies[0].append(row(result, face));
  }
}

function row(result, face) {
  const note = result.message || (face ? "" : "no face found");
  const next = face ? Object.entries(face.probabilities).sort((a, b) => b[1] - a[1])[1] : null;
  const cells = face
    ? [result.name, face.face + 1, sure(face) ? face.answer : `${face.answer} (${face.expression}?)`, percent(face.confidence), `${next[0]} ${percent(next[1])}`, note]
    : [result.name, "", "", "", "", note];
  const kinds = ["name", "number", "", "number", "", "note"];
  const made = cells.map((text, i) => element("td", { className: kinds[i] }, String(text)));
  return element("tr", { className: result.status === "error" ? "bad" : "" }, ...made);
}

function csv() {
  const quote = (value) => `"${String(value ?? "").replaceAll('"', '""').replace(/^(?=[=+\-@])/, "'")}"`;
  const head = ["source", "face", "status", "answer", "expression", "confidence", ...expressions,
    "agreement", "not_a_face", "x", "y", "width", "height", "detector_score", "message", "model"];
  const lines = rows.map(({ name, status, message, model, face }) => [
    quote(name), face?.face ?? "", status, face?.answer ?? "", face?.expression ?? "", face?.confidence ?? "",
    ...expressions.map((e) => face?.probabilities[e] ?? ""),
    face?.agreement ?? "", face?.not_a_face ?? "", ...["x", "y", "width", "height"].map((k) => face?.box[k] ?? ""), face?.detector_score ?? "", quote(message), quote(model),
  ].join(","));
  return new Blob([[head.join(","), ...lines].join("\r\n"), "\r\n"], { type: "text/csv" });
}
