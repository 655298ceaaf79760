/** The examples: programs run, what configures others is read as they would, and names nothing that does not exist. */

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parser } from "@prometheus-io/lezer-promql";
import { type Copy, DockerfileParser } from "dockerfile-ast";
import ts from "typescript";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { Fake, KEY, TrackerServer } from "../../sdk/typescript/tests/servers.js";
import { ROOT } from "./guide.js";
import { BINARY, startServer } from "./server.js";

const run = promisify(execFile);
const text = (path: string) => readFileSync(join(ROOT, path), "utf8");
const scratch = mkdtempSync(join(tmpdir(), "examples-"));

let fake: Fake;
let tracker: TrackerServer;
beforeAll(async () => {
  fake = await Fake.start();
  tracker = await (await TrackerServer.start()).setUp();
});
afterAll(async () => {
  await fake.stop();
  await tracker.remove();
  rmSync(scratch, { recursive: true });
});

test("the list names every folder, and nothing that is not there", () => {
  const listed = [...text("examples/README.md").matchAll(/^\| \[`([^`]+)\/`\]\(([^)]+)\)/gm)];
  const folders = readdirSync(join(ROOT, "examples"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(listed.map(([, name]) => name).sort()).toEqual(folders.map(({ name }) => name).sort());
  for (const [, , path = ""] of listed) expect([path, existsSync(join(ROOT, "examples", path))]).toEqual([path, true]);
});

test("curl: a call is recorded once, explained and summed up", async () => {
  const env = { PATH: process.env.PATH, API_KEY: `${tracker.url}/api`, AICT_API_KEY: tracker.key };
  for (const duplicate of [false, true]) {
    const { stdout } = await run("bash", [join(ROOT, "examples/curl/track.sh")], { env });
    const [recorded = "", explained = "", spent = ""] = stdout.trim().split("\n");
    expect(recorded).toContain(`"cost":0.000435`);
    expect(recorded).toContain(`"duplicate":${duplicate}`);
    expect(explained).toContain('"costExplanation"');
    expect(JSON.parse(spent.replace("spent by team: ", "")).data.summary).toMatchObject({
      totalCost: 0.000435,
      totalRequests: 1,
    });
  }
});

test("Next.js: the route compiles with Next's types, streams, and its call is recorded when it ends", async () => {
  const folder = join(ROOT, "target/guide/nextjs");
  const code = text("examples/nextjs/app/api/chat/route.ts");
  writeFileSync(join(folder, "route.ts"), code);
  const program = ts.createProgram([join(folder, "route.ts")], {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.dom.asynciterable.d.ts"],
    types: [join(folder, "node_modules/@types/node")],
  });
  const problems = program.getSemanticDiagnostics(program.getSourceFile(join(folder, "route.ts")));
  expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
  writeFileSync(
    join(folder, "route.mjs"),
    ts.transpile(code, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }),
  );
  const caller = `import { POST } from "./route.mjs";
    import server from "next/server.js";
    const ask = (body) => POST(new server.NextRequest("http://site/api/chat", { method: "POST", body: JSON.stringify(body) }));
    console.log((await ask({})).status, await (await ask({ prompt: "hello" })).text());`;
  writeFileSync(join(folder, "call.mjs"), caller);
  const { stdout } = await run(process.execPath, [join(folder, "call.mjs")], {
    env: {
      PATH: process.env.PATH,
      API_KEY: `${tracker.url}/api`,
      AICT_API_KEY: tracker.key,
      OPENAI_API_KEY: KEY,
      OPENAI_BASE_URL: `${fake.url}/v1`,
    },
  });
  expect(stdout).toContain("422 ");
  expect(stdout).toContain("Every call has its price");
  const records = (await tracker.records()).filter(({ tags }) => tags.includes("nextjs"));
  expect(records).toMatchObject([{ model: "gpt-4o-mini", costAllocation: { team: "web" }, costSource: "catalog" }]);
});

/** Variables that the server reads, by their documentation, which a test keeps complete. */
const VARIABLES = new Set(
  [...text("docs/reference/configuration.md").matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name]) => name),
);

test("Docker: what is copied is there, variables are settings, and the command is one", async () => {
  const dockerfile = DockerfileParser.parse(text("examples/docker/Dockerfile"));
  const stages = dockerfile.getFROMs().map((from) => from.getBuildStage());
  for (const copy of dockerfile.getCOPYs() as Copy[]) {
    const words = copy.getArguments().map((argument) => argument.getValue());
    const stage = copy
      .getFlags()
      .find((flag) => flag.getName() === "from")
      ?.getValue();
    if (stage) expect(stages).toContain(stage);
    else for (const path of words.slice(0, -1)) expect([path, existsSync(join(ROOT, path))]).toEqual([path, true]);
  }
  const names = dockerfile.getENVs().flatMap((env) => env.getProperties().map((property) => property.getName()));
  expect(names.filter((name) => !VARIABLES.has(name))).toEqual([]);
  expect(names).toContain("AICT_STORE__DATA_DIR");
  const [words] = dockerfile.getCMDs().map((command) => JSON.parse(command.getArgumentsContent() ?? "[]"));
  await run(BINARY, [...words, "--help"]);
  expect(text("examples/docker/Dockerfile")).toContain(
    `FROM rust:${/rust-version = "(.+)"/.exec(text("Cargo.toml"))?.[1]}-`,
  );
});

test("Compose: files and settings exist, and the server starts with its variables", async () => {
  const { services, secrets, volumes } = parse(text("examples/docker/compose.yaml"));
  const { build, environment, volumes: mounts } = services.tracker;
  expect(existsSync(join(ROOT, "examples/docker", build.context, build.dockerfile))).toBe(true);
  expect(Object.keys(environment).filter((name) => !VARIABLES.has(name.replace(/_FILE$/, "")))).toEqual([]);
  for (const mount of [...mounts, ...services.caddy.volumes]) {
    const [source = ""] = mount.split(":");
    expect([source, source in volumes || existsSync(join(ROOT, "examples/docker", source))]).toEqual([source, true]);
  }
  expect(services.tracker.secrets).toEqual(Object.keys(secrets));
  const env: Record<string, string> = { ...environment, AICT_STORE__DATA_DIR: join(scratch, "compose") };
  for (const name of Object.keys(secrets)) {
    const file = join(scratch, name);
    const { stdout } = await run("openssl", ["rand", "-base64", "32"]);
    writeFileSync(file, stdout);
    env[`${name.toUpperCase()}_FILE`] = file;
  }
  const { url, text: said, stop } = await startServer(scratch, env);
  stop();
  expect([said, url]).toEqual([expect.stringContaining("listening"), expect.any(String)]);
});

test("systemd: the unit is one, leaves little open, and its variables are settings", async () => {
  const path = "examples/systemd/ai-cost-tracker.service";
  const unit = join(scratch, "ai-cost-tracker.service");
  writeFileSync(unit, text(path).replace("/usr/local/bin/ai-cost-tracker", BINARY));
  const { stderr } = await run("systemd-analyze", ["verify", "--man=no", unit]);
  expect(stderr.split("\n").filter((line) => line.includes("ai-cost-tracker.service"))).toEqual([]);
  // 0 is all that can be shut, 10 nothing.
  await run("systemd-analyze", ["security", "--offline=true", "--threshold=20", unit]);
  const named = [...text(path).matchAll(/\b(AICT_[A-Z0-9_]+)=/g)].map(([, name]) => name);
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((name) => !VARIABLES.has(name))).toEqual([]);
});

/** Every measurement of the server, as its code names it. */
function measurements(folder = join(ROOT, "crates/server/src")): Set<string> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".rs"));
  const code = files.map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
  return new Set(
    [...code.matchAll(/metrics::(?:counter|gauge|histogram)!\(\s*"(aict_\w+)"/g)].map(([, name = ""]) => name),
  );
}

interface Expression {
  where: string;
  code: string;
}

function expressions(): Expression[] {
  const dashboard = JSON.parse(text("examples/grafana/dashboard.json"));
  const panels = dashboard.panels.flatMap(({ title, targets }: { title: string; targets: { expr: string }[] }) =>
    targets.map(({ expr }) => ({ where: title, code: expr.replaceAll("$__rate_interval", "5m") })),
  );
  const { groups } = parse(text("examples/prometheus/alerts.yml"));
  const rules = groups.flatMap(({ rules }: { rules: { alert: string; expr: string }[] }) =>
    rules.map(({ alert, expr }) => ({ where: alert, code: expr })),
  );
  return [...panels, ...rules];
}

test.each(expressions())("PromQL of $where asks for what the server measures: $code", ({ code }) => {
  const known = measurements();
  const problems: string[] = [];
  parser.parse(code).iterate({
    enter: (node) => {
      if (node.type.isError) problems.push(`not PromQL at ${node.from}`);
      const name = node.name === "Identifier" ? code.slice(node.from, node.to) : "";
      const measured = known.has(name) || known.has(name.replace(/_(bucket|sum|count)$/, "")) || name === "up";
      if (node.name === "Identifier" && node.node.parent?.name === "VectorSelector" && !measured)
        problems.push(`nobody measures ${name}`);
    },
  });
  expect(problems).toEqual([]);
});

test("a wrong name would be found, and so would what is not PromQL", () => {
  expect(measurements().size).toBeGreaterThan(15);
  expect(measurements()).toContain("aict_http_request_duration_seconds");
  const errors: number[] = [];
  const enter = (node: { type: { isError: boolean }; from: number }) => {
    if (node.type.isError) errors.push(node.from);
  };
  parser.parse("sum(rate(x[5m])").iterate({ enter });
  expect(errors).not.toEqual([]);
});

test("Prometheus: it scrapes where the server says what it measures", async () => {
  const { scrape_configs, rule_files } = parse(text("examples/prometheus/prometheus.yml"));
  const [{ metrics_path, static_configs }] = scrape_configs;
  expect(static_configs[0].targets).toEqual(["127.0.0.1:8000"]);
  const page = await (await fetch(tracker.url + metrics_path)).text();
  expect(page).toContain("aict_http_request_duration_seconds_bucket");
  for (const file of rule_files) expect(existsSync(join(ROOT, "examples/prometheus", file))).toBe(true);
});
