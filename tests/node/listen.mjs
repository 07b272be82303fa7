// listen.mjs STREAM_URL KEY LAST_ID OUTPUT: consumes a stream with eventsource, as OpenCTI's
// consumers do (deletes cascade), until the object LAST_ID is there; writes what it has then.
import { writeFileSync } from "node:fs";
import { EventSource } from "eventsource";

const [url, key, lastId, output] = process.argv.slice(2);
const has = new Map();
const faults = [];
let events = 0;
let connections = 0;

const refsOf = (object) =>
  Object.entries(object).flatMap(([name, value]) =>
    name.endsWith("_ref") ? [value] : name.endsWith("_refs") ? value : []);

const drop = (id) => {
  has.delete(id);
  for (const [other, object] of [...has]) {
    if (object.source_ref === id || object.target_ref === id) drop(other);
  }
};

const take = (message) => {
  events += 1;
  const { type, data } = JSON.parse(message.data);
  if (type !== message.type) faults.push(`${message.type} says it is ${type}`);
  if (type === "delete") {
    drop(data.id);
    return;
  }
  for (const ref of refsOf(data)) {
    if (!has.has(ref)) faults.push(`${type} of ${data.id} refers to ${ref}`);
  }
  has.set(data.id, data);
  if (data.id === lastId) finish();
};

const source = new EventSource(url, {
  fetch: (input, init) =>
    fetch(input, { ...init, headers: { ...init.headers, Authorization: `Bearer ${key}` } }),
});

// eventsource's own timer does not keep a program alive that does nothing else.
setInterval(() => {}, 1000);

const finish = () => {
  source.close();
  const state = { events, connections, faults, has: Object.fromEntries(has) };
  writeFileSync(output, JSON.stringify(state));
  process.exit(0);
};

for (const kind of ["create", "update", "delete"]) source.addEventListener(kind, take);
source.addEventListener("connected", () => (connections += 1));
source.addEventListener("error", (error) => {
  if (error.code) {
    console.error("failed", error.code, error.message);
    process.exit(3);
  }
});
