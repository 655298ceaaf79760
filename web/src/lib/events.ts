export type ServerEvent = { event: string; data: string; id: string | undefined };

/** Splits a stream of server-sent events; what is not whole yet is kept for the next piece. */
export function eventReader(): (piece: string) => ServerEvent[] {
  let rest = "";
  return (piece) => {
    const blocks = (rest + piece).split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? "";
    return blocks.flatMap(eventOf);
  };
}

function eventOf(block: string): ServerEvent[] {
  const fields = new Map<string, string>();
  for (const line of block.split(/\r?\n/)) {
    const [, name, value = ""] = /^([^:]+):? ?(.*)$/.exec(line) ?? [];
    if (name) fields.set(name, fields.has(name) ? `${fields.get(name)}\n${value}` : value);
  }
  const data = fields.get("data");
  const id = fields.get("id");
  // A block without data only says where one is.
  return data === undefined && id === undefined
    ? []
    : [{ event: fields.get("event") ?? "message", data: data ?? "", id }];
}
