// The tab for a video: upload, progress, results.

import { cancelVideo, patient, remember, remembered, uploadVideo, videoResult, videoState } from "./api.js";
import { dropZone, hide, percent, save, say } from "./faces.js";

const at = (id) => document.getElementById(`video-${id}`);
let now = null; // the video on this tab: its id, once the server gave one, and what stops its upload

export function start() {
  dropZone(at("drop"), (files) => read(files[0]));
  at("file").addEventListener("change", (event) => {
    if (event.target.files.length) read(event.target.files[0]);
    event.target.value = "";
  });
  at("stop").addEventListener("click", stop);
  for (const button of at("results").querySelectorAll("[data-format]")) {
    button.addEventListener("click", () => download(button.dataset.format));
  }
  at("marked").addEventListener("error", () => playable(false));
  if (remembered("video")) resume(remembered("video"));
}

async function read(file) {
  const given = forget();
  const mine = begin(null, `Sending ${file.name} …`);
  try {
    await given; // the server takes few videos at a time
    mine.id = (await uploadVideo(file, mine.upload.signal)).id;
    if (mine !== now) return cancelVideo(mine.id).catch(() => null);
    remember("video", mine.id);
    await follow(mine);
  } catch (error) {
    fail(mine, error);
  }
}

// After a reload the server still has the video, or its results for a while.
async function resume(id) {
  const mine = begin(id, "Asking for the video …");
  try {
    await follow(mine);
  } catch (error) {
    fail(mine, error, mine.found);
  }
}

function begin(id, text) {
  now = { id, upload: new AbortController(), found: false };
  clear();
  hide(at("results"), at("file"));
  at("progress").hidden = false;
  at("progress").firstElementChild.removeAttribute("value");
  say(at("state"), text);
  return now;
}

// What is hidden would play on, with its sound.
function clear() {
  at("marked").pause();
  URL.revokeObjectURL(at("marked").src);
  at("marked").removeAttribute("src");
}

function playable(yes) {
  at("marked").hidden = !yes;
  at("unplayable").hidden = yes;
}

// Nobody misses a video that was gone before the reload.
function fail(mine, error, missed = true) {
  if (mine !== now) return;
  const gone = error.status === 404;
  if (gone) remember("video", "");
  hide(at("progress"), at("file"));
  at("count").textContent = "";
  say(at("state"), gone && !missed ? "" : error.message, true);
}

async function follow(mine) {
  while (mine === now) {
    const job = await patiently(mine, () => videoState(mine.id));
    if (mine !== now) return;
    mine.found = true;
    at("count").textContent = "";
    if (job.status === "waiting") tell("Waiting for its turn …");
    if (job.status === "running") {
      at("progress").firstElementChild.value = job.progress;
      tell("Reading …"); // the numbers beside it change too often to be read aloud
      at("count").textContent = `${percent(job.progress)}: ${job.frames} frames, ${job.seconds_read.toFixed(1)} s`;
    }
    if (["done", "failed", "cancelled"].includes(job.status)) return finish(mine, job);
    await pause(300);
  }
}

// A video that is not followed is lost with its results.
function patiently(mine, request) {
  return patient(request, () => mine === now, (text) => tell(text, true));
}

function pause(milliseconds) {
  return new Promise((go) => setTimeout(go, milliseconds));
}

// Nothing is said twice: a screen reader would read it again.
function tell(text, bad = false) {
  if (at("state").textContent !== text) say(at("state"), text, bad);
}

async function finish(mine, job) {
  if (job.status !== "done") {
    hide(at("progress"), at("file"));
    return say(at("state"), job.message || "Cancelled.", job.status === "failed");
  }
  const [marked, timeline] = await Promise.all(["video", "timeline"].map((format) => patiently(mine, () => made(job.id, format))));
  const page = await timeline?.text();
  if (mine !== now) return;
  playable(true);
  if (marked) at("marked").src = URL.createObjectURL(marked);
  at("timeline").srcdoc = page ?? "";
  for (const [format, place, result] of [["video", "marked", marked], ["timeline", "timeline", timeline]]) {
    at(place).hidden = at("results").querySelector(`[data-format=${format}]`).hidden = !result;
  }
  hide(at("progress"), at("file"));
  at("results").hidden = false;
  say(at("state"), `${job.frames} frames read, ${job.faces} faces. ${job.message}`);
}

// What could not be made of a video is null; the video's message says why.
async function made(id, format) {
  try {
    return await videoResult(id, format);
  } catch (error) {
    if (error.status === 409) return null;
    throw error;
  }
}

function forget() {
  const old = now;
  now = null;
  remember("video", "");
  at("count").textContent = "";
  old?.upload.abort();
  return old?.id ? cancelVideo(old.id).catch(() => null) : null;
}

function stop() {
  forget();
  hide(at("progress"), at("file"));
  say(at("state"), "Cancelled; the video was deleted.");
}

async function download(format) {
  try {
    const file = await videoResult(now.id, format);
    save(file, file.name);
  } catch (error) {
    say(at("state"), error.message, true);
  }
}
