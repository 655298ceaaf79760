import { useSyncExternalStore } from "react";
import type { components } from "./schema";

type SignedIn = components["schemas"]["SignedIn"];
export type User = SignedIn["user"];
/** `unknown` until the refresh cookie was tried. */
export type Session = { state: "unknown" } | { state: "out" } | { state: "in"; user: User };

// The access token is in memory only: another page, a script of another site or a look at the disk cannot get it. A reload
// gets a new one for the httpOnly refresh cookie.
let accessToken: string | null = null;
let session: Session = { state: "unknown" };
const listeners = new Set<() => void>();

function become(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

export const currentSession = (): Session => session;
export const currentToken = (): string | null => accessToken;

export function useSession(): Session {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, currentSession);
}

/** Who is logged in. */
export function useUser(): User | undefined {
  const known = useSession();
  return known.state === "in" ? known.user : undefined;
}

export function signedIn({ user, accessToken: token }: SignedIn): void {
  accessToken = token;
  become({ state: "in", user });
}

export function signedOut(): void {
  accessToken = null;
  become({ state: "out" });
}

export function renamed(user: User): void {
  if (session.state === "in") become({ state: "in", user });
}

export const API_URL: string = (import.meta.env.VITE_API_URL ?? "").replace(/\/$/, "");

let refreshing: Promise<boolean> | null = null;

/** Exchanges the refresh cookie for a new access token. Says whether there is a log-in. */
export function refreshSession(): Promise<boolean> {
  refreshing ??= inTurn(exchange).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function exchange(): Promise<boolean> {
  const response = await fetch(`${API_URL}/api/auth/refresh`, { method: "POST", credentials: "include" });
  if (response.ok) {
    signedIn(((await response.json()) as { data: SignedIn }).data);
    return true;
  }
  // Only a refusal ends the log-in; a server that is busy or down does not.
  if (response.status === 401) signedOut();
  else if (session.state === "unknown") throw new Error(`the server answered ${response.status}`);
  return false;
}

/** A refresh token works once: other tabs wait for their turn, and send the next one. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks ? await navigator.locks.request("refresh-session", work) : work();
}
