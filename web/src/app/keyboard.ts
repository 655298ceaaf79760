import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import type { User } from "@/api/session";
import { placesFor } from "./places";

const CHORD_MS = 1_200;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** `/` goes to the page's search (or to the palette), `g` and a letter to a page, Ctrl or ⌘ with K to the palette. */
export function useKeyboard(user: User, openPalette: () => void): void {
  const navigate = useNavigate();
  const chord = useRef(0);
  const open = useRef(openPalette);
  open.current = openPalette;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        open.current();
        return;
      }
      if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        isTyping(event.target) ||
        document.querySelector('[role="dialog"]')
      )
        return;
      if (event.key === "/") {
        event.preventDefault();
        const search = document.querySelector<HTMLElement>("[data-page-search]");
        if (search) search.focus();
        else open.current();
        return;
      }
      const inChord = event.timeStamp - chord.current < CHORD_MS && chord.current > 0;
      chord.current = event.key === "g" && !inChord ? event.timeStamp : 0;
      const place = inChord && placesFor(user).find(({ key }) => key === event.key);
      if (place) {
        event.preventDefault();
        void navigate({ to: place.to });
      }
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [navigate, user]);
}
