// Faces as cards with bars, and as boxes in a picture.

import { explain } from "./api.js";

export function colour(expression) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${expression}`).trim() || "#888";
}

export function percent(share) {
  if (share > 0 && share < 0.005) return "< 1 %";
  if (share < 1 && share > 0.995) return "> 99 %";
  return `${Math.round(share * 100)} %`;
}

// Otherwise the answer is "uncertain" or "not a face".
export function sure(face) {
  return face.answer === face.expression;
}

export function element(name, options = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, options);
  made.append(...children);
  return made;
}

export function drawBoxes(context, faces, scale = 1) {
  const { width: across, height: down, clientWidth, clientHeight } = context.canvas;
  const pixel = Math.max(across / (clientWidth || across), down / (clientHeight || down));
  const line = 2.5 * pixel;
  const size = 14 * pixel;
  const taken = [];
  context.lineWidth = line;
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textBaseline = "bottom";
  for (const face of faces) {
    const { x, y, width, height } = face.box;
    const alone = sure(face) ? `${face.answer} ${percent(face.confidence)}` : face.answer;
    const text = faces.length > 1 ? `${face.face + 1} ${face.answer}` : alone;
    const [left, top] = [x * scale, y * scale];
    context.strokeStyle = colour(face.answer);
    context.strokeRect(left, top, width * scale, height * scale);
    const wide = context.measureText(text).width + size * 0.7;
    const high = size * 1.45;
    const start = Math.max(0, Math.min(left - line / 2, context.canvas.width - wide));
    const bottoms = [top, top + height * scale + high, top + high, top - high];
    const free = (bottom) => bottom >= high && bottom <= context.canvas.height && !taken.some((other) =>
      start < other.start + other.wide && other.start < start + wide && Math.abs(bottom - other.bottom) < high);
    const bottom = bottoms.find(free) ?? top + high;
    taken.push({ start, wide, bottom });
    context.fillStyle = "#101418dd";
    context.fillRect(start, bottom - high, wide, high);
    context.fillStyle = "#fff";
    context.fillText(text, start + size * 0.35, bottom - size * 0.17);
  }
}

export function bars(shares, tint = colour, format = percent) {
  const box = element("div", { className: "bars" });
  const most = Math.max(1e-9, ...Object.values(shares).map(Math.abs));
  const whole = format === percent ? 1 : most;
  for (const [name, share] of Object.entries(shares)) {
    const fill = element("span");
    fill.style.width = `${(Math.abs(share) / whole) * 100}%`;
    fill.style.background = tint(name, share);
    box.append(
      element("span", {}, name),
      element("div", { className: "track" }, fill),
      element("span", { className: "value" }, format(share)),
    );
  }
  return box;
}

// `source` is the file that the face can be explained from, and the model that read it; without one
// the bars keep their order, to be followed by the eye.
export function card(face, picture, source, scale = 1) {
  const { x, y, width, height } = face.box;
  const small = element("canvas", { width: 96, height: 96 });
  small.setAttribute("role", "img");
  small.setAttribute("aria-label", `Face ${face.face + 1}, cut out of the picture`);
  if (picture) {
    const side = Math.max(width, height) * 1.25;
    const [left, top] = [x + width / 2 - side / 2, y + height / 2 - side / 2];
    small.getContext("2d").drawImage(picture, ...[left, top, side, side].map((n) => n * scale), 0, 0, 96, 96);
  }
  const likely = sure(face) ? percent(face.confidence) : `${face.expression} ${percent(face.confidence)} at most`;
  const head = element(
    "div", { className: "face-head" }, small,
    element("div", {}, element("h2", {}, face.answer),
      element("p", { className: "quiet" }, `Face ${face.face + 1}: ${likely}${source ? `, read by ${source.model}` : ""}`)),
  );
  const made = element("article", { className: "face" }, head, ...(source ? ranked(face) : [bars(face.probabilities)]));
  if (source) made.append(explainButton(face, source, made));
  return made;
}

// What is likely at once, the rest where one asks for it.
function ranked(face) {
  const order = Object.entries(face.probabilities).sort((a, b) => b[1] - a[1]);
  const likely = Math.max(2, order.filter(([, share]) => share >= 0.01).length);
  const rest = order.slice(likely);
  const shown = bars(Object.fromEntries(order.slice(0, likely)));
  if (!rest.length) return [shown];
  const sum = rest.reduce((total, [, share]) => total + share, 0);
  return [shown, element("details", {},
    element("summary", {}, `${rest.length} others: ${percent(sum)} together`), bars(Object.fromEntries(rest)))];
}

function explainButton(face, { file, model }, into) {
  const button = element("button", {}, "Explain this face");
  const state = element("p", { className: "state", role: "status" });
  let working = false; // a button that is disabled loses the focus
  button.addEventListener("click", async () => {
    if (working) return;
    working = true;
    button.setAttribute("aria-disabled", "true");
    say(state, "Covering parts of the face …");
    try {
      const made = explanation(await explain(file, face.face, model));
      into.append(made);
      made.focus({ preventScroll: true });
      button.remove();
      state.remove();
    } catch (error) {
      say(state, error.message, true);
    }
    working = false;
    button.removeAttribute("aria-disabled");
  });
  return element("div", {}, button, state);
}

function explanation(found) {
  const image = element("img", {
    src: `data:image/png;base64,${found.overlay}`,
    alt: `The face; what speaks for ${found.expression} is orange, what speaks against it blue`,
  });
  const order = [...found.regions].sort((a, b) => b.contribution - a.contribution);
  const shares = Object.fromEntries(order.map((r) => [r.region, r.contribution]));
  const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(Math.round(value * 100))} %`;
  const tint = (_, value) => (value < 0 ? "#0072b2" : "#d55e00");
  const title = element("p", { className: "quiet" },
    `How much each region adds to the ${percent(found.probability)} of ${found.expression}:`);
  return element("div", { className: "explained", tabIndex: -1 }, image,
    element("div", {}, title, bars(shares, tint, signed)));
}

export function say(place, text, bad = false) {
  place.textContent = text;
  place.classList.toggle("bad", bad);
}

// What has the focus would take it along.
export function hide(place, next) {
  const focused = place.contains(document.activeElement);
  place.hidden = true;
  if (focused) next.focus();
}

export function dropZone(zone, take) {
  for (const kind of ["dragenter", "dragover"]) {
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  for (const kind of ["dragleave", "drop"]) {
    zone.addEventListener(kind, () => zone.classList.remove("over"));
  }
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) take([...event.dataTransfer.files]);
  });
}

export function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const openings = new WeakMap(); // what the last opening of the camera for a video is known by

// Says whether the camera is on: it may have been closed, or opened again, before it was given.
// `lost` is called if it ends by itself later, as where it is unplugged.
export async function openCamera(video, lost) {
  closeCamera(video);
  if (!navigator.mediaDevices) {
    throw new Error("This browser gives the camera only to pages from localhost or over HTTPS.");
  }
  const mine = {};
  openings.set(video, mine);
  try {
    const wanted = { video: { width: { ideal: 640 }, height: { ideal: 480 } } };
    const stream = await navigator.mediaDevices.getUserMedia(wanted);
    if (openings.get(video) !== mine) {
      stop(stream);
      return false;
    }
    video.srcObject = stream;
    for (const track of stream.getTracks()) track.addEventListener("ended", () => openings.get(video) === mine && lost());
    await video.play();
  } catch (error) {
    if (openings.get(video) !== mine) return false;
    closeCamera(video);
    throw new Error(`The camera cannot be used: ${error.message}.`);
  }
  return openings.get(video) === mine;
}

export function closeCamera(video) {
  openings.delete(video);
  if (video.srcObject) stop(video.srcObject);
  video.srcObject = null;
}

function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}
