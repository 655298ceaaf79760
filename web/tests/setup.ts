import { cleanup, configure } from "@testing-library/react";
import { afterAll, afterEach, beforeAll, vi } from "vitest";
import { server } from "./server";

// A canvas draws nothing here; what a chart says is in the table beside it.
vi.mock("@/components/charts/engine", () => ({
  init: () => ({
    setOption() {},
    resize() {},
    dispose() {},
    getZr: () => ({ on() {}, off() {} }),
  }),
}));

if (typeof window !== "undefined") {
  window.matchMedia = (query) =>
    ({ matches: false, media: query, addEventListener() {}, removeEventListener() {} }) as unknown as MediaQueryList;
  window.ResizeObserver = class {
    observe() {}
    unobserve() {}
    disconnect() {}
  };
  window.scrollTo = () => {};
  Element.prototype.scrollIntoView = () => {};
  Element.prototype.hasPointerCapture = () => false;
}

// The whole document does not fit a terminal; and a machine that is busy takes its time.
configure({ asyncUtilTimeout: 5_000, getElementError: (message) => new Error(message ?? "not found") });

beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
afterEach(() => {
  cleanup();
  server.resetHandlers();
});
afterAll(() => server.close());
