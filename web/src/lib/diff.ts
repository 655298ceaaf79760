export type Change = { path: string; before: string | undefined; after: string | undefined };

/** What differs between two objects, by the path to each value. */
export function changesBetween(before: unknown, after: unknown): Change[] {
  const [old, now] = [flat(before), flat(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((path) => ({ path, before: old.get(path), after: now.get(path) }))
    .filter((change) => change.before !== change.after);
}

function flat(value: unknown, path = "", into = new Map<string, string>()): Map<string, string> {
  if (value === null || value === undefined) {
    if (path) into.set(path, "none");
  } else if (typeof value !== "object") {
    into.set(path || "value", String(value));
  } else if (Array.isArray(value) && value.every((one) => typeof one !== "object")) {
    if (path) into.set(path, value.length ? value.join(", ") : "none");
  } else {
    for (const [name, inner] of Object.entries(value)) flat(inner, path ? `${path}.${name}` : name, into);
  }
  return into;
}
