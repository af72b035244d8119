// Connects as the form says, and shows what arrives.

const form = document.querySelector("form");
const state = document.querySelector("output");
const rows = document.querySelector("tbody");
const series = new Map();
const kept = 60; // values in a curve
let connection;

for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
  if (form.elements[name]) form.elements[name].value = value;
}

function say(text, kind) {
  state.textContent = text;
  state.dataset.kind = kind;
}

/** The row of one series: a topic and a name in it. */
function rowOf(topic, name) {
  const key = JSON.stringify([topic, name]);
  if (!series.has(key)) {
    const row = rows.insertRow();
    for (const text of [topic, name, "", "", "", ""]) row.insertCell().textContent = text;
    series.set(key, { row, values: [] });
  }
  return series.get(key);
}

/** A line through the last values, 120 by 24. */
function curve(values) {
  const low = Math.min(...values), span = Math.max(...values) - low || 1;
  const points = values.map((value, at) => `${(at * 120) / (kept - 1)},${22 - ((value - low) * 20) / span}`);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS(svg.namespaceURI, "polyline");
  svg.setAttribute("viewBox", "0 0 120 24");
  line.setAttribute("points", points.join(" "));
  svg.append(line);
  return svg;
}

function show(topic, { name, value, unit, time }) {
  const { row, values } = rowOf(topic, name);
  const [, , number, units, when, drawing] = row.cells;
  number.textContent = String(value);
  units.textContent = unit;
  when.textContent = new Date(time * 1000).toISOString().slice(0, 23).replace("T", " ");
  if (typeof value === "number") {
    values.push(value);
    if (values.length > kept) values.shift();
    drawing.replaceChildren(curve(values));
  }
}

function message(topic, text) {
  const subtopic = topic.split("/messages").slice(1).join("/messages").replace(/^\//, "") || "·";
  try {
    for (const reading of resolve(text)) show(subtopic, reading);
  } catch (error) {
    show(subtopic, { name: `not a SenML pack in JSON (${error.name})`, value: text.slice(0, 40), unit: "", time: Date.now() / 1000 });
  }
}

/** The channel's messages, or a subtopic of them. */
function address(subtopic) {
  const topic = `channels/${form.elements.channel.value}/messages`;
  return subtopic ? `${topic}/${subtopic}` : topic;
}

async function connect() {
  const { url, id, key, filter, library } = Object.fromEntries(new FormData(form));
  say("connecting", "waiting");
  connection = await libraries[library]({ url, id, key, message, lost: (reason) => say(`lost: ${reason}`, "error") });
  await connection.subscribe(address(filter));
  say(`connected with ${library}, subscribed to ${address(filter)}`, "ready");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    if (event.submitter.value === "connect") await connect();
    else await connection.publish(address(form.elements.subtopic.value), form.elements.pack.value);
  } catch (error) {
    say(`refused: ${error.message}`, "error");
  }
});
