import { useEffect, useRef, useState } from "react";
import { eventReader, type ServerEvent } from "@/lib/events";
import { type Schemas, send } from "./client";
import { quoteMoney } from "./money-json";
import { API_URL } from "./session";

/** A stream that ended is taken up again after this, where it ended. */
const AGAIN_MS = 3_000;

export type Live = "off" | "connecting" | "on";
export type TrackedUsage = Schemas["TrackedUsage"];

/** Follows what is recorded. The browser's own EventSource cannot send the access token. */
export function useUsageStream(enabled: boolean, onTracked: (usage: TrackedUsage) => void): Live {
  const [live, setLive] = useState<Live>("off");
  const tell = useRef(onTracked);
  tell.current = onTracked;
  useEffect(() => {
    if (!enabled) return;
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last: string | undefined;
    const follow = async () => {
      setLive("connecting");
      try {
        await read(gone.signal, last, ({ event, id, data }) => {
          setLive("on");
          last = id ?? last;
          if (event === "usage.tracked") tell.current(JSON.parse(quoteMoney(data)) as TrackedUsage);
        });
      } catch {
        // Whatever ended it, it is tried again.
      }
      if (!gone.signal.aborted) timer = setTimeout(() => void follow(), AGAIN_MS);
    };
    void follow();
    return () => {
      gone.abort();
      clearTimeout(timer);
      setLive("off");
    };
  }, [enabled]);
  return live;
}

async function read(
  signal: AbortSignal,
  last: string | undefined,
  onEvent: (event: ServerEvent) => void,
): Promise<void> {
  const headers = { accept: "text/event-stream", ...(last ? { "last-event-id": last } : {}) };
  const address = `${API_URL || window.location.origin}/api/usage/stream`;
  const response = await send(new Request(address, { headers, signal, credentials: "include" }));
  const reader = response.ok ? response.body?.pipeThrough(new TextDecoderStream()).getReader() : undefined;
  if (!reader) return;
  const split = eventReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    split(value).forEach(onEvent);
  }
}
