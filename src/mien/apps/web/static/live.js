// The tab for the camera: two frames at a time are with the server, so that it is busy and never falls behind.

import { analyze } from "./api.js";
import { card, closeCamera, drawBoxes, element, openCamera, say } from "./faces.js";

const at = (id) => document.getElementById(`live-${id}`);
const LONGEST = 640;
const SHORTEST = 320;
const SLOW = 150; // milliseconds from a frame to its reading, above which frames become smaller
const TOGETHER = 2;
let on = null; // what one run of the camera is known by
let faces = [];
let times = [];
let longest = LONGEST;
let sent = 0;
let shown = 0;

export function start() {
  at("start").addEventListener("click", begin);
  at("stop").addEventListener("click", () => {
    end();
    at("start").focus();
  });
}

async function begin() {
  at("start").disabled = true;
  try {
    if (!(await openCamera(at("video"), lost))) return;
  } catch (error) {
    return say(at("state"), error.message, true);
  } finally {
    at("start").disabled = false;
  }
  on = {};
  times = [];
  longest = LONGEST;
  at("start").hidden = true;
  at("stop").hidden = false;
  at("stop").focus();
  say(at("state"), "The camera is on.");
  draw();
  for (let n = 0; n < TOGETHER; n++) read();
}

function lost() {
  const focused = document.activeElement === at("stop");
  end();
  if (focused) at("start").focus();
  say(at("state"), "The camera gives no pictures any more. Is it still plugged in?", true);
}

export function end() {
  closeCamera(at("video"));
  if (!on) return;
  on = null;
  faces = [];
  at("start").hidden = false;
  at("stop").hidden = true;
  say(at("state"), "The camera is off.");
  at("rate").textContent = "";
}

function draw() {
  if (!on) return;
  const [video, canvas] = [at("video"), at("canvas")];
  if (video.videoWidth && canvas.width !== video.videoWidth) {
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  }
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  drawBoxes(context, faces);
  requestAnimationFrame(draw);
}

function frame() {
  const video = at("video");
  const scale = Math.min(1, longest / Math.max(video.videoWidth, video.videoHeight));
  const canvas = element("canvas", {
    width: Math.round(video.videoWidth * scale), height: Math.round(video.videoHeight * scale),
  });
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob((blob) => done({ blob, scale, canvas }), "image/jpeg", 0.85));
}

async function read() {
  const mine = on;
  while (on === mine) {
    const start = performance.now();
    const { blob, scale, canvas } = await frame();
    if (!blob) {
      await new Promise((go) => setTimeout(go, 50));
      continue;
    }
    const number = ++sent;
    try {
      const answer = await analyze([new File([blob], "camera.jpg")]);
      if (on !== mine) return;
      if (number < shown) continue;
      shown = number;
      show(answer.results[0].faces, scale, canvas);
      if (at("state").classList.contains("bad")) say(at("state"), "The camera is on.");
      const took = performance.now() - start;
      if (took > SLOW) longest = Math.max(SHORTEST, 0.9 * longest);
      rate(took);
    } catch (error) {
      if (on !== mine) return;
      say(at("state"), error.message, true);
      await new Promise((go) => setTimeout(go, 1000));
    }
  }
}

function show(found, scale, canvas) {
  const grown = (box) => Object.fromEntries(Object.entries(box).map(([k, v]) => [k, v / scale]));
  at("faces").replaceChildren(...(found.length ? found.slice(0, 3).map((face) => card(face, canvas, null)) :
    [element("p", { className: "empty quiet" }, "No face in the picture.")]));
  faces = found.map((face) => ({ ...face, box: grown(face.box) }));
}

function rate(milliseconds) {
  const now = performance.now();
  times = [...times.filter((t) => now - t < 2000), now];
  const seconds = (now - times[0]) / 1000;
  const count = seconds > 0.3 ? (times.length - 1) / seconds : 0;
  at("rate").dataset.rate = count.toFixed(1);
  at("rate").textContent = count ? `${count.toFixed(0)} readings a second, ${milliseconds.toFixed(0)} ms each` : "";
}
