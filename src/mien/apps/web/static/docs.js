// The API's documentation, made from openapi.json.

import { element } from "./faces.js";

const schema = await (await fetch("openapi.json")).json();
const main = document.getElementById("main");
const HERE = new URL(".", location).href.slice(0, -1);
const JSON_BODY = "-H 'Content-Type: application/json' -d '{\"images\": [{\"data\": \"…base64…\"}]}'";

main.append(element("p", {}, schema.info.description.trim()));
for (const [path, methods] of Object.entries(schema.paths)) {
  for (const [method, route] of Object.entries(methods)) main.append(described(path, method, route));
}

function described(path, method, route) {
  const kinds = Object.keys(route.requestBody?.content ?? {});
  const given = (route.parameters ?? []).map((p) => row(p.name, [p.description ?? `in the ${p.in}`, preset(p.schema)].join("")));
  if (kinds.length) given.push(row("body", kinds.join(" or ")));
  const good = Object.entries(route.responses).find(([status]) => status < 300);
  const bad = Object.entries(route.responses).filter(([status]) => status >= 300);
  return element("article", { className: "panel" },
    element("h2", {}, element("span", { className: "method" }, method.toUpperCase()), ` ${path}`),
    ...(route.description ?? route.summary ?? "").split("\n\n").map((text) => element("p", {}, ...marked(text))),
    ...examples(path, method, kinds, route.security).map((line) => element("pre", {}, line)),
    ...table("What it takes", given),
    ...table(`What it answers (${good[0]})`, fields(good[1])),
    ...table("Refusals", bad.map(([status, r]) => row(status, r.description))));
}

function fields(response) {
  const content = Object.entries(response.content ?? {});
  const shape = named(content[0]?.[1].schema ?? {});
  if (!shape.properties) return content.map(([kind]) => row(kind, ""));
  return members(shape, content[0][1].schema.items ? "[]." : "");
}

// What is inside of fields, too, as in `results[].faces[].box.x`.
function members(shape, before) {
  return Object.entries(shape.properties).flatMap(([name, own]) => {
    const inside = named(own);
    const rows = [row(before + name, own.description ?? about(own))];
    return inside.properties ? [...rows, ...members(inside, `${before}${name}${own.items ? "[]" : ""}.`)] : rows;
  });
}

function about(shape) {
  const inside = named(shape);
  return inside.properties ? `${shape.items ? "A list. " : ""}${inside.description}` : kind(shape);
}

function preset(shape) {
  return (shape?.default ?? null) === null ? "" : ` ${shape.default} by default.`;
}

function named(shape) {
  if (shape.$ref) return schema.components.schemas[shape.$ref.split("/").at(-1)];
  return shape.items ? named(shape.items) : shape;
}

function kind(shape) {
  const inside = named(shape);
  if (inside.enum) return inside.enum.join(", ");
  return shape.items ? `a list of ${inside.type}s` : inside.type ?? (shape.anyOf ?? []).map((one) => one.type).join(" or ");
}

function table(title, rows) {
  if (!rows.length) return [];
  return [element("h3", {}, title), element("table", {}, element("tbody", {}, ...rows))];
}

function row(name, text) {
  return element("tr", {}, element("td", {}, element("code", {}, ...broken(name))), element("td", {}, ...marked(text ?? "")));
}

// A long name may go on in the next line behind a dot.
function broken(name) {
  return name.split(/(?<=\.)/).flatMap((part) => [part, element("wbr")]);
}

function marked(text) {
  return text.split("`").map((part, i) => (i % 2 ? element("code", {}, part) : part));
}

function examples(path, method, kinds, locked) {
  const field = path === "/v1/videos" ? "file=@clip.mp4" : "files=@photo.jpg";
  const verb = (method === "delete" ? " -X DELETE" : "") + (path.endsWith("/result") ? " -fOJ" : "") +
    (locked ? " -H 'X-API-Key: …'" : "");
  const bodies = kinds.map((one) => (one === "application/json" ? ` ${JSON_BODY}` : ` -F ${field}`));
  return (bodies.length ? bodies : [""]).map((body) => `curl${verb}${body} ${HERE}${path}`);
}
