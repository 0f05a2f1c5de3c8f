// The API's documentation, made from openapi.json.

import { element } from "./faces.js";

const schema = await (await fetch("/openapi.json")).json();
const main = document.getElementById("main");

for (const [path, methods] of Object.entries(schema.paths)) {
  for (const [method, route] of Object.entries(methods)) main.append(described(path, method, route));
}

function described(path, method, route) {
  const rows = (route.parameters ?? []).map((p) => row(p.name, p.description ?? p.in));
  const kinds = Object.keys(route.requestBody?.content ?? {});
  if (kinds.length) rows.push(row("body", kinds.join(" or ")));
  const answers = Object.entries(route.responses).map(([status, r]) => row(status, r.description));
  return element("article", { className: "panel" },
    element("h2", { style: "text-transform:none" }, `${method.toUpperCase()} ${path}`),
    element("p", {}, route.description ?? route.summary),
    element("div", { className: "scroll" }, element("table", {}, element("tbody", {}, ...rows, ...answers))),
    element("p", { className: "quiet" }, example(path, method, kinds)));
}

function row(name, text) {
  return element("tr", {}, element("td", {}, element("code", {}, name)), element("td", {}, text ?? ""));
}

function example(path, method, kinds) {
  const field = path === "/v1/videos" ? "file=@clip.mp4" : "files=@photo.jpg";
  const body = kinds.includes("multipart/form-data") ? ` -F ${field}` : "";
  const verb = method === "get" || body ? "" : ` -X ${method.toUpperCase()}`;
  return element("code", {}, `curl${verb}${body} ${location.origin}${path}`);
}
