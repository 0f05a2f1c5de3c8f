// Tabs, the choice of a model, and the key.

import { chosen, models, setKey } from "./api.js";
import * as batch from "./batch.js";
import { element, percent, say } from "./faces.js";
import * as live from "./live.js";
import * as photo from "./photo.js";
import * as video from "./video.js";

const tabs = [...document.querySelectorAll('[role="tab"]')];

function choose(tab) {
  for (const other of tabs) {
    const own = other === tab;
    other.setAttribute("aria-selected", String(own));
    other.tabIndex = own ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !own;
  }
  if (tab.id !== "tab-live") live.end();
  if (tab.id === "tab-photo") photo.draw();
  else photo.leaveBooth();
  history.replaceState(null, "", `#${tab.getAttribute("aria-controls")}`);
}

for (const [place, tab] of tabs.entries()) {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const to = step ? tabs.at((place + step) % tabs.length) : { Home: tabs[0], End: tabs.at(-1) }[event.key];
    if (!to) return;
    event.preventDefault();
    choose(to);
    to.focus();
  });
}

const trouble = document.getElementById("trouble");

async function loadModels() {
  const form = document.getElementById("key-form");
  const select = document.getElementById("model");
  try {
    const found = await models();
    const focused = [form, trouble].some((one) => one.contains(document.activeElement));
    form.hidden = trouble.hidden = true;
    select.disabled = false;
    if (focused) select.focus();
    select.replaceChildren(...found.map((m) => new Option(m.name, m.name, m.default, m.default)));
    const show = () => {
      chosen.model = select.value;
      const model = found.find((m) => m.name === select.value);
      document.getElementById("about-raters").hidden = !rated(model);
      document.getElementById("about-labels").hidden = rated(model);
      document.getElementById("about-doubt").textContent = doubts(model);
      document.getElementById("about-model").replaceChildren(
        element("h2", {}, model.name),
        element("p", {}, model.description || "A model of this server's owner."),
        element("p", { className: "quiet" }, `${model.expressions.join(", ")}. ` +
          `${(model.parameters / 1e6).toFixed(1)} million weights, ` +
          `${Math.round(model.macs / 1e6)} million operations a face.`),
      );
    };
    select.onchange = show;
    show();
  } catch (error) {
    form.hidden = error.status !== 401;
    trouble.hidden = !form.hidden;
    if (form.hidden) return say(document.getElementById("trouble-state"), `The models cannot be listed. ${error.message}`);
    const tried = document.getElementById("key").value;
    if (tried) document.getElementById("key-label").textContent = "That is not the key of this server.";
  }
}

// What a model says of raters it can have learnt from raters only.
function rated({ doubt }) {
  return doubt.agreement !== null || doubt.not_a_face !== null;
}

function doubts(model) {
  const { name, doubt } = model;
  const rare = doubt.agreement ? `, or two raters would agree with a chance below ${percent(doubt.agreement)}` : "";
  const none = doubt.not_a_face === null ? "" : ` Above ${percent(doubt.not_a_face)} for no usable face it says “not a face”.`;
  const why = rated(model) ? ": several people would not agree on such faces either" : "";
  return `${name} answers “uncertain” where its first choice has less than ${percent(doubt.confidence)}${rare}${why}.${none}`;
}

document.getElementById("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  setKey(document.getElementById("key").value);
  loadModels();
});

document.getElementById("again").addEventListener("click", loadModels);

// A file that is dropped beside its place would open instead of this page.
for (const kind of ["dragover", "drop"]) {
  document.addEventListener(kind, (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
}

for (const part of [photo, batch, video, live]) part.start();
const wanted = tabs.find((tab) => `#${tab.getAttribute("aria-controls")}` === location.hash);
if (wanted) choose(wanted);
loadModels();
