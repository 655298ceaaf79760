// The guide's blocks for the dashboard: they compile among its sources, and do what they say at the real server.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from "@tanstack/react-router";
import { render, screen } from "@testing-library/react";
import ts from "typescript";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { TrackerServer } from "../../../sdk/typescript/tests/servers";
import { GUIDE } from "../../../tests/guide/guide";
import { given } from "./given";
import { FOLDER, MODULES } from "./modules";

let tracker: TrackerServer;
beforeAll(async () => {
  tracker = await (await TrackerServer.start()).setUp();
  vi.stubEnv("VITE_API_URL", tracker.url);
  given.projectId = tracker.project;
  const { signedIn } = await import("@/api/session");
  const account = { email: "owner@example.com", password: "correct horse" };
  signedIn(await tracker.send("POST", "/api/auth/login", account));
});
afterAll(() => tracker.remove());
window.scrollTo = () => {};

test("they compile where their imports lead to the sources", { timeout: 60_000 }, () => {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile("tsconfig.json", ts.sys.readFile).config,
    ts.sys,
    process.cwd(),
  );
  const host = ts.createCompilerHost({ ...options, incremental: false });
  const { fileExists, readFile } = host;
  const codeOf = (name: string) => (name.startsWith(FOLDER) ? MODULES[name.slice(FOLDER.length)] : undefined);
  host.fileExists = (name) => codeOf(name) !== undefined || fileExists(name);
  host.readFile = (name) => codeOf(name) ?? readFile(name);
  const names = Object.keys(MODULES).map((name) => FOLDER + name);
  const program = ts.createProgram(names, { ...options, incremental: false, tsBuildInfoFile: undefined }, host);
  const problems = names.flatMap((name) => {
    const source = program.getSourceFile(name);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  });
  expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
});

test("a provider's key is listed, added and removed", async () => {
  const before = await tracker.send("GET", "/api/audit?limit=100");
  const { apiKeys } = await import("guide:keys.ts");
  expect(apiKeys).toEqual([]);
  // The block takes the key out again that it has added: the audit log has both.
  const after = await tracker.send("GET", "/api/audit?limit=100");
  const added = after.slice(0, after.length - before.length).map(({ action }: { action: string }) => action);
  expect(added).toHaveLength(2);
  expect(await tracker.send("GET", "/api/user/api-keys")).toEqual([]);
});

test("projects are listed, and asked what they cost in a period", async () => {
  const call = { model: "gpt-4o", projectId: tracker.project, cost: 1.25, timestamp: "2024-01-31T23:59:59Z" };
  await tracker.send("POST", "/api/usage/track", call);
  const { projects, analytics } = await import("guide:projects.ts");
  expect(projects).toMatchObject([{ id: tracker.project, name: "SDK" }]);
  // Money is text with its exact digits here.
  expect(analytics.summary.totalCost).toBe("1.25");
});

test("the components show what is set up, and how to send a call", async () => {
  const { Shown } = await import("guide:components.tsx");
  Element.prototype.scrollIntoView ??= () => {};
  window.ResizeObserver ??= class {
    observe() {}
    unobserve() {}
    disconnect() {}
  };
  const router = createRouter({ routeTree: createRootRoute({ component: Shown }), history: createMemoryHistory() });
  render(
    <QueryClientProvider client={new QueryClient()}>
      <RouterProvider router={router as never} />
    </QueryClientProvider>,
  );
  const dialog = await screen.findByRole("dialog", { name: "Send your first call" });
  expect(dialog.textContent).toContain(`${tracker.url}/api/usage/track`);
  await screen.findByText("1 key in use");
  await screen.findByText("1 project");
  expect(screen.getByLabelText("Environment variables").textContent).toContain(`PROJECT_ID=${tracker.project}`);
});

test("every component that the guide names is there", async () => {
  const named = [...GUIDE.matchAll(/^- `([A-Z]\w+)` - /gm)].map(([, name]) => name);
  expect(named).toHaveLength(6);
  const modules = await Promise.all([
    import("@/components/integration"),
    import("@/features/projects/project-card"),
    import("@/features/projects/view-project-modal"),
  ]);
  const exported = Object.assign({}, ...modules) as Record<string, unknown>;
  expect(named.filter((name = "") => typeof exported[name] !== "function")).toEqual([]);
});
