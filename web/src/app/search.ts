// The URL is the state. It is written as people would: `?model=gpt-4o&model=!gpt-5`, not as JSON.

export function parseSearch(text: string): Record<string, string | string[]> {
  const parameters = new URLSearchParams(text);
  return Object.fromEntries(
    [...new Set(parameters.keys())].map((name) => {
      const values = parameters.getAll(name);
      return [name, values.length > 1 ? values : (values[0] ?? "")];
    }),
  );
}

export function stringifySearch(search: Record<string, unknown>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    for (const one of [value].flat()) {
      if (one !== undefined && one !== null && one !== "") parameters.append(name, String(one));
    }
  }
  const text = parameters
    .toString()
    .replaceAll("%21", "!")
    .replaceAll("%2C", ",")
    .replaceAll("%3A", ":")
    .replaceAll("%40", "@")
    .replaceAll("%28", "(")
    .replaceAll("%29", ")");
  return text && `?${text}`;
}

/** One of `allowed`, or nothing. */
export function oneOf<Value extends string>(value: unknown, allowed: readonly Value[]): Value | undefined {
  return allowed.find((one) => one === value);
}

export const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/** All of them, or nothing. */
export function manyOf(value: unknown): string[] | undefined {
  const texts = [value].flat().filter((one): one is string => typeof one === "string" && one !== "");
  return texts.length ? texts : undefined;
}
