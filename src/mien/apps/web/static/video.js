// The tab for a video: upload, progress, results.

import { cancelVideo, uploadVideo, videoResult, videoState } from "./api.js";
import { dropZone, percent, save, say } from "./faces.js";

const at = (id) => document.getElementById(`video-${id}`);
const NAMES = { csv: "readings.csv", jsonl: "readings.jsonl", video: "marked.mp4", timeline: "timeline.html" };
let id = null;

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
  if (id) await stop();
  at("results").hidden = true;
  at("progress").hidden = false;
  at("progress").firstElementChild.removeAttribute("value");
  say(at("state"), `Sending ${file.name} …`);
  try {
    const job = await uploadVideo(file);
    id = job.id;
    await follow(job.id);
  } catch (error) {
    at("progress").hidden = true;
    say(at("state"), error.message, true);
  }
}

async function follow(mine) {
  for (;;) {
    const job = await videoState(mine);
    if (mine !== id) return;
    if (job.status === "waiting") say(at("state"), "Waiting for its turn …");
    if (job.status === "running") {
      at("progress").firstElementChild.value = job.progress;
      say(at("state"), `${percent(job.progress)}: ${job.frames} frames, ${job.seconds_read.toFixed(1)} s`);
    }
    if (["done", "failed", "cancelled"].includes(job.status)) {
      at("progress").hidden = true;
      return finish(job);
    }
    await new Promise((go) => setTimeout(go, 300));
  }
}

async function finish(job) {
  if (job.status !== "done") {
    id = null;
    return say(at("state"), job.message || "Cancelled.", job.status === "failed");
  }
  say(at("state"), `${job.frames} frames read, ${job.faces} faces. ${job.message}`);
  const [marked, timeline] = await Promise.all([videoResult(job.id, "video"), videoResult(job.id, "timeline")]);
  URL.revokeObjectURL(at("marked").src);
  at("marked").src = URL.createObjectURL(marked);
  at("timeline").srcdoc = await timeline.text();
  at("results").hidden = false;
}

async function stop() {
  const mine = id;
  id = null;
  at("progress").hidden = true;
  if (mine) await cancelVideo(mine).catch(() => null);
  say(at("state"), "Cancelled; the video was deleted.");
}

async function download(format) {
  try {
    save(await videoResult(id, format), NAMES[format]);
  } catch (error) {
    say(at("state"), error.message, true);
  }
}
