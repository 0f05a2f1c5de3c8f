// The tab for one photo.

import { analyze } from "./api.js";
import { card, closeCamera, drawBoxes, dropZone, element, openCamera, say } from "./faces.js";

const at = (id) => document.getElementById(`photo-${id}`);
let turn = 0;
let shown = null; // what is on the canvas: the picture and what was found in it

export function start() {
  dropZone(at("drop"), (files) => read(files[0]));
  at("file").addEventListener("change", (event) => {
    if (event.target.files.length) read(event.target.files[0]);
    event.target.value = "";
  });
  document.addEventListener("paste", (event) => {
    const item = [...(event.clipboardData?.items ?? [])].find((i) => i.type.startsWith("image/"));
    if (item && !document.getElementById("photo").hidden) read(item.getAsFile());
  });
  at("camera").addEventListener("click", booth);
  at("shoot").addEventListener("click", shoot);
  at("stop").addEventListener("click", () => {
    leaveBooth();
    at("camera").focus();
  });
}

async function booth() {
  try {
    at("booth").hidden = false;
    at("shoot").disabled = true;
    if (!(await openCamera(at("video"), lost))) return;
    at("shoot").disabled = false;
    at("shoot").focus();
  } catch (error) {
    at("booth").hidden = true;
    say(at("state"), error.message, true);
  }
}

export function leaveBooth() {
  closeCamera(at("video"));
  at("booth").hidden = true;
}

function lost() {
  leaveBooth();
  say(at("state"), "The camera gives no pictures any more. Is it still plugged in?", true);
}

function shoot() {
  const video = at("video");
  const canvas = element("canvas", { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  canvas.toBlob((blob) => read(new File([blob], "camera.jpg", { type: "image/jpeg" })), "image/jpeg", 0.95);
  leaveBooth();
  at("camera").focus();
}

async function read(file) {
  const mine = ++turn;
  at("stage").hidden = true;
  shown = null;
  at("faces").replaceChildren();
  say(at("state"), `Reading ${file.name} …`);
  try {
    const { model, results } = await analyze([file]);
    const picture = await createImageBitmap(file).catch(() => null);
    if (mine === turn) show(results[0], alike(picture, results[0]), { file, model });
  } catch (error) {
    if (mine === turn) say(at("state"), error.message, true);
  }
}

// Where the browser does not turn a picture as the server does, boxes would lie beside the faces.
function alike(picture, { width, height }) {
  const turned = picture && Math.abs(Math.log((picture.width * height) / (picture.height * width))) > 0.05;
  return turned ? null : picture;
}

// Drawn again when the tab is shown: what is hidden has no size that lines could be fitted to.
export function draw() {
  if (!shown) return;
  const { picture, result } = shown;
  const context = at("canvas").getContext("2d");
  context.drawImage(picture, 0, 0);
  drawBoxes(context, result.faces, picture.width / result.width);
}

function show(result, picture, source) {
  if (picture) {
    const canvas = at("canvas");
    at("stage").hidden = false;
    [canvas.width, canvas.height] = [picture.width, picture.height];
    shown = { picture, result };
    draw();
    const found = result.faces.map((face) => `face ${face.face + 1}: ${face.answer}`).join(", ");
    canvas.setAttribute("aria-label", `${result.name}. ${found || "No face was found"}.`);
  }
  const count = result.faces.length;
  const text = count ? `${count} ${count === 1 ? "face" : "faces"} in ${result.name}` :
    `No face was found in ${result.name}. Faces should be upright and not too small.`;
  say(at("state"), text);
  const scale = picture ? picture.width / result.width : 1;
  at("faces").replaceChildren(...result.faces.map((face) => card(face, picture, source, scale)));
}
