// The tab for a video: upload, progress, results.

import { cancelVideo, uploadVideo, videoResult, videoState } from "./api.js";
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
}

async function read(file) {
  forget();
  const mine = { id: null, upload: new AbortController() };
  now = mine;
  hide(at("results"), at("file"));
  at("progress").hidden = false;
  at("progress").firstElementChild.removeAttribute("value");
  say(at("state"), `Sending ${file.name} …`);
  try {
    mine.id = (await uploadVideo(file, mine.upload.signal)).id;
    await follow(mine);
  } catch (error) {
    if (mine !== now) return;
    hide(at("progress"), at("file"));
    at("count").textContent = "";
    say(at("state"), error.message, true);
  }
}

async function follow(mine) {
  while (mine === now) {
    const job = await patient(mine, () => videoState(mine.id));
    if (mine !== now) return;
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

// What goes wrong for a moment is asked for again: a video that is not followed is lost with its results.
async function patient(mine, ask) {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (![0, 429, 502, 503, 504].includes(error.status) || mine !== now) throw error;
      tell(`${error.message} Asking again …`, true);
      await pause(1000);
    }
  }
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
  const [marked, timeline] = await Promise.all(["video", "timeline"].map((format) => patient(mine, () => made(job.id, format))));
  const page = await timeline?.text();
  if (mine !== now) return;
  URL.revokeObjectURL(at("marked").src);
  at("marked").removeAttribute("src");
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
  at("count").textContent = "";
  old?.upload.abort();
  if (old?.id) cancelVideo(old.id).catch(() => null);
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
