// The start page. It talks to the API of its own server and to nothing else. The access token lives in memory only; a
// reload gets a new one for the httpOnly refresh cookie.

const REFRESH_MS = 60_000;
const POLL_MS = 1_500;
const ROWS_MAX = 6;

let accessToken = null;
let trackerKey = null;

const byId = (id) => document.getElementById(id);

// --- Talking to the server ---

class Failure extends Error {
  constructor(status, body) {
    super(body?.error?.message ?? `The server answered ${status}.`);
    this.status = status;
    this.code = body?.error?.code;
    this.details = body?.error?.details ?? [];
  }
}

async function send(method, path, body) {
  const headers = {};
  if (accessToken) headers.Authorization = `Bearer ${accessToken}`;
  if (body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body), credentials: "same-origin" });
  } catch {
    throw new Failure(0, { error: { message: "The server cannot be reached." } });
  }
  if (!response.ok) throw new Failure(response.status, await response.json().catch(() => null));
  return response;
}

/** An answer's data. A token that has expired is refreshed once. */
async function call(method, path, body) {
  return (await (await withToken(() => send(method, path, body))).json()).data;
}

async function withToken(request) {
  try {
    return await request();
  } catch (failure) {
    if (failure.code !== "token_expired") throw failure;
    await refresh();
    return request();
  }
}

/** A refresh token works once: pages in other tabs wait for their turn, and send the next one. */
async function refresh() {
  const exchange = async () => {
    accessToken = null;
    const response = await send("POST", "/api/auth/refresh");
    return signedIn((await response.json()).data);
  };
  return navigator.locks ? navigator.locks.request("refresh-session", exchange) : exchange();
}

function signedIn({ user, accessToken: token }) {
  accessToken = token;
  byId("account-name").textContent = user.name;
  byId("account").hidden = false;
}

// --- Numbers ---

const whole = new Intl.NumberFormat("en-US");
const cents = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** Two decimals from a dollar, four significant digits below; what is not zero is never shown as zero. */
function money(dollars) {
  if (dollars === null || dollars === undefined) return "unknown";
  const sign = dollars < 0 ? "−" : "";
  const size = Math.abs(dollars);
  if (size === 0) return "$0.00";
  if (size < 0.0001) return `${sign}<$0.0001`;
  if (size >= 0.99995) return `${sign}$${cents.format(size)}`;
  const [head, tail = ""] = String(Number(size.toPrecision(4))).split(".");
  return `${sign}$${head}.${tail.padEnd(2, "0")}`;
}

/** One decimal, rounded down: 100 % is all of them. */
const percent = (part) => `${(Math.floor(part * 1000) / 10).toFixed(1)} %`;

/** A cost, or what is known of it. */
function cost(sum, unpriced, requests) {
  return requests > 0 && unpriced === requests ? "unknown" : money(sum);
}

const counted = (count, one, many) => `${whole.format(count)} ${count === 1 ? one : many}`;

// --- Days, in UTC ---

const day = (date) => date.toISOString().slice(0, 10);
const shown = (iso, options) => new Date(`${iso}T00:00:00Z`).toLocaleDateString("en-GB", { timeZone: "UTC", ...options });
const dayAndMonth = (iso) => shown(iso, { day: "numeric", month: "short" });

function periods(now) {
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()];
  const lastOfPrevious = new Date(Date.UTC(year, month, 0));
  const sameDay = Math.min(now.getUTCDate(), lastOfPrevious.getUTCDate());
  return {
    monthStart: day(new Date(Date.UTC(year, month, 1))),
    today: day(now),
    previousStart: day(new Date(Date.UTC(year, month - 1, 1))),
    previousEnd: day(new Date(Date.UTC(year, month - 1, sameDay))),
    chartStart: day(new Date(Date.UTC(year, month, now.getUTCDate() - 29))),
  };
}

// --- Elements ---

function element(name, { text, ...attributes } = {}, children = []) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function shape(name, attributes, children = []) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function fillTable(table, heads, rows) {
  const head = heads.map((text, index) => element("th", { text, scope: "col", class: index ? "number" : "" }));
  table.replaceChildren(
    element("thead", {}, [element("tr", {}, head)]),
    element("tbody", {}, rows),
  );
}

const show = (...ids) => {
  for (const id of ["loading", "sign-in", "overview", "first-call"]) byId(id).hidden = !ids.includes(id);
};

function showFailure(failure) {
  byId("failure-text").textContent = failure.message;
  byId("failure").hidden = false;
}

// --- Logging in, registering ---

const DOORS = {
  owner: { title: "Create the owner", hint: "This is a new installation. The first account owns it.", submit: "Create account" },
  login: { title: "Log in", hint: "", submit: "Log in" },
  register: { title: "Create an account", hint: "", submit: "Create account" },
};

let door = "login";
let setup = { needsOwner: false, signupOpen: false };

function openDoor(kind) {
  door = kind;
  const words = DOORS[kind];
  const registers = kind !== "login";
  byId("sign-in-title").textContent = words.title;
  byId("sign-in-hint").textContent = words.hint;
  byId("sign-in-hint").hidden = !words.hint;
  byId("sign-in-submit").textContent = words.submit;
  byId("name-field").hidden = !registers;
  byId("password-hint").hidden = !registers;
  byId("password").autocomplete = registers ? "new-password" : "current-password";
  byId("invitation-field").hidden = kind !== "register" || setup.signupOpen;
  byId("sign-in-other").textContent = kind === "login" ? wordsToRegister() : "Log in instead";
  clearProblems();
  show("sign-in");
  byId(registers ? "name" : "email").focus();
}

function wordsToRegister() {
  if (setup.needsOwner) return "Create the owner instead";
  return setup.signupOpen ? "Create an account" : "I have an invitation";
}

/** From logging in to registering, or back. */
function otherDoor() {
  if (door !== "login") openDoor("login");
  else openDoor(setup.needsOwner ? "owner" : "register");
}

async function submitDoor(event) {
  event.preventDefault();
  const submit = byId("sign-in-submit");
  submit.disabled = true;
  clearProblems();
  const form = Object.fromEntries(new FormData(byId("sign-in-form")));
  const body = { email: form.email, password: form.password };
  if (door !== "login") body.name = form.name;
  if (door === "register" && form.invitation) body.invitation = form.invitation.trim();
  try {
    accessToken = null;
    signedIn(await call("POST", door === "login" ? "/api/auth/login" : "/api/auth/register", body));
    byId("password").value = "";
    await enter();
  } catch (failure) {
    showProblems(failure);
  } finally {
    submit.disabled = false;
  }
}

const FIELDS = ["name", "email", "password", "invitation"];

function clearProblems() {
  byId("sign-in-error").textContent = "";
  for (const field of FIELDS) {
    byId(field).removeAttribute("aria-invalid");
    document.getElementById(`${field}-error`).textContent = "";
  }
}

/** Each problem goes below its field; what is about no field goes below them all. */
function showProblems(failure) {
  const ofFields = failure.details.filter(({ field }) => FIELDS.includes(field));
  for (const { field, message } of ofFields) {
    byId(field).setAttribute("aria-invalid", "true");
    document.getElementById(`${field}-error`).textContent = message;
  }
  if (!ofFields.length) byId("sign-in-error").textContent = failure.message;
  const first = FIELDS.find((field) => ofFields.some((problem) => problem.field === field));
  byId(first ?? (failure.code === "invalid_credentials" ? "password" : "email")).focus();
}

async function logOut() {
  await send("POST", "/api/auth/logout").catch(() => null);
  location.reload();
}

// --- The overview ---

async function loadOverview() {
  const at = periods(new Date());
  const [recent, month, previous] = await Promise.all([
    call("GET", `/api/analytics?groupBy=day&startDate=${at.chartStart}&endDate=${at.today}&limit=${ROWS_MAX}`),
    call("GET", `/api/usage/stats?startDate=${at.monthStart}&endDate=${at.today}`),
    call("GET", `/api/usage/stats?startDate=${at.previousStart}&endDate=${at.previousEnd}`),
  ]);
  drawTiles(at, recent.trends.forecast, month, previous);
  byId("overview-period").textContent = `Last 30 days: ${dayAndMonth(at.chartStart)} to ${dayAndMonth(at.today)} (UTC)`;
  drawDays(recent.timeline, at.today);
  drawTop("models-table", "Model", recent.breakdown.models);
  drawTop("projects-table", "Project", recent.breakdown.projects);
  drawTop("teams-table", "Team", recent.breakdown.teams);
  return recent.summary.totalRequests;
}

function drawTiles(at, forecast, month, previous) {
  const monthName = shown(at.today, { month: "long" });
  const [requests, unpriced] = [month.totalRequests, month.unpricedRequests];
  byId("spend-label").textContent = `Spend in ${monthName}`;
  setTile("spend", cost(month.totalCost, unpriced, requests), change(at, month.totalCost, previous));
  byId("forecast-label").textContent = `Forecast for ${monthName}`;
  if (forecast) setTile("forecast", money(forecast.expected), `likely ${money(forecast.low)} to ${money(forecast.high)}`);
  else setTile("forecast", "–", "after a week of requests");
  const errors = month.errorRate ? `${percent(month.errorRate)} ended in an error` : requests ? "none ended in an error" : "none yet";
  setTile("requests", whole.format(requests), errors);
  const perThousand = month.costPerThousandTokens;
  setTile("unit-cost", requests ? money(month.averageCostPerRequest) : "–", perThousand === null ? "no request with a known cost" : `${money(perThousand)} per 1,000 tokens`);
  setTile("coverage", requests ? percent((requests - unpriced) / requests) : "–", coverageNote(requests, unpriced), unpriced > 0);
}

function setTile(id, value, note, warns = false) {
  byId(id).textContent = value;
  byId(`${id}-note`).textContent = note;
  byId(`${id}-note`).classList.toggle("warn", warns);
}

function change(at, spent, previous) {
  const lastDay = dayAndMonth(at.previousEnd);
  const days = at.previousStart === at.previousEnd ? lastDay : `1–${lastDay}`;
  if (previous.totalCost <= 0) return `nothing in ${days}`;
  const rate = (spent - previous.totalCost) / previous.totalCost;
  const arrow = rate > 0 ? "▲" : rate < 0 ? "▼" : "=";
  return `${arrow} ${(Math.abs(rate) * 100).toFixed(1)} % on ${days} (${money(previous.totalCost)})`;
}

function coverageNote(requests, unpriced) {
  if (!requests) return "share of requests whose cost is known";
  return unpriced ? `${counted(unpriced, "request has", "requests have")} no known cost` : "the cost of every request is known";
}

function drawTop(id, name, shares) {
  const rows = shares.slice(0, ROWS_MAX).map((share) => {
    const bar = element("span");
    bar.style.width = `${Math.min(100, Math.max(0, (share.share ?? 0) * 100))}%`;
    const sum = [element("span", { text: cost(share.cost, share.unpricedRequests, share.requests) })];
    if (share.unpricedRequests > 0 && share.unpricedRequests < share.requests) {
      sum.push(element("span", { class: "aside", text: `+ ${whole.format(share.unpricedRequests)} unpriced` }));
    }
    return element("tr", {}, [
      element("th", { scope: "row" }, [element("span", { text: share.name }), element("span", { class: "share", "aria-hidden": "true" }, [bar])]),
      element("td", { class: "number", text: whole.format(share.requests) }),
      element("td", { class: "number" }, sum),
    ]);
  });
  if (!rows.length) rows.push(element("tr", { class: "empty" }, [element("td", { colspan: "3", text: "Nothing in these 30 days." })]));
  fillTable(byId(id), [name, "Requests", "Cost"], rows);
}

// --- Cost by day ---

let days = [];
let today = "";

function drawDays(timeline, currentDay) {
  [days, today] = [timeline, currentDay];
  drawChart();
  const rows = [...timeline].reverse().map((point) =>
    element("tr", {}, [
      element("th", { scope: "row", text: shown(point.date, { weekday: "short", day: "numeric", month: "short" }) }),
      element("td", { class: "number", text: whole.format(point.requests) }),
      element("td", { class: "number", text: cost(point.cost, point.unpriced, point.requests) }),
    ]),
  );
  fillTable(byId("days-table"), ["Day", "Requests", "Cost"], rows);
}

/** 1, 2 or 5 times a power of ten, so that about `count` steps reach `max`. */
function niceStep(max, count) {
  const rough = max / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
}

function axisMoney(value, step) {
  if (value === 0) return "$0";
  return step >= 1 ? `$${whole.format(Math.round(value))}` : `$${value.toFixed(Math.min(9, Math.ceil(-Math.log10(step) - 1e-9)))}`;
}

function drawChart() {
  const holder = byId("chart");
  const [width, height] = [holder.clientWidth, holder.clientHeight];
  if (!width || !days.length) return;
  const most = Math.max(...days.map((point) => point.cost));
  const step = most > 0 ? niceStep(most, 4) : 1;
  const top = Math.max(step, Math.ceil(most / step - 1e-9) * step);
  const labels = [];
  for (let index = 0; index * step <= top * (1 + 1e-9); index += 1) labels.push(index * step);
  const left = 12 + 7 * Math.max(...labels.map((value) => axisMoney(value, step).length));
  const bottom = height - 24;
  const y = (value) => bottom - (value / top) * (bottom - 10);
  const slot = (width - left) / days.length;
  const children = [hatch()];
  for (const value of labels) {
    children.push(shape("line", { class: "grid", x1: left, x2: width, y1: y(value), y2: y(value) }));
    children.push(shape("text", { class: "axis", x: left - 8, y: y(value) + 4, "text-anchor": "end" }, [axisMoney(value, step)]));
  }
  const every = slot * 7 < 75 ? 10 : 7;
  days.forEach((point, index) => {
    const x = left + index * slot;
    const size = Math.max(point.cost > 0 ? 1.5 : 0, bottom - y(point.cost));
    const gap = Math.min(6, slot * 0.25);
    children.push(shape("rect", { class: point.date === today ? "bar today" : "bar", x: x + gap / 2, y: bottom - size, width: slot - gap, height: size, rx: Math.min(2, slot / 6) }));
    const cover = shape("rect", { class: "slot", x, y: 0, width: slot, height: bottom });
    cover.addEventListener("pointerenter", () => readOut(point, cover));
    cover.addEventListener("pointerdown", () => readOut(point, cover));
    children.push(cover);
    if (index % every === 0) {
      children.push(shape("text", { class: "axis", x: x + slot / 2, y: height - 4, "text-anchor": "middle" }, [dayAndMonth(point.date)]));
    }
  });
  const total = days.reduce((sum, point) => sum + point.cost, 0);
  const drawing = shape("svg", { role: "img", "aria-label": `Cost by day over 30 days, ${money(total)} in all. The table below has the numbers.` }, children);
  drawing.addEventListener("pointerleave", readOutTotal);
  holder.replaceChildren(drawing);
  readOutTotal();
}

/** Today is not over: its bar is hatched. */
function hatch() {
  const line = shape("path", { class: "hatch", d: "M0 0V6" });
  const pattern = shape("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, [line]);
  return shape("defs", {}, [pattern]);
}

function readOut(point, cover) {
  for (const other of byId("chart").querySelectorAll(".active")) other.classList.remove("active");
  cover.classList.add("active");
  const soFar = point.date === today ? " so far" : "";
  byId("chart-readout").textContent = `${shown(point.date, { weekday: "short", day: "numeric", month: "short" })}: ${cost(point.cost, point.unpriced, point.requests)}${soFar}, ${counted(point.requests, "request", "requests")}`;
}

function readOutTotal() {
  for (const other of byId("chart").querySelectorAll(".active")) other.classList.remove("active");
  const [total, requests] = days.reduce(([sum, count], point) => [sum + point.cost, count + point.requests], [0, 0]);
  byId("chart-readout").textContent = `30 days: ${money(total)}, ${counted(requests, "request", "requests")}`;
}

async function download() {
  const at = periods(new Date());
  const path = `/api/analytics/export?format=csv&groupBy=day,service,model,project&startDate=${at.chartStart}&endDate=${at.today}`;
  try {
    const file = await (await withToken(() => send("GET", path))).blob();
    const link = element("a", { href: URL.createObjectURL(file), download: `costs-${at.chartStart}-${at.today}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } catch (failure) {
    showFailure(failure);
  }
}

// --- The first call ---

function drawCurl() {
  byId("curl-text").textContent = `curl ${location.origin}/api/usage/track \\
  -H "Authorization: Bearer ${trackerKey ?? "YOUR_TRACKER_KEY"}" \\
  -H "Content-Type: application/json" \\
  -d '{
    "service": "openai",
    "model": "gpt-4o-mini",
    "promptTokens": 1000,
    "completionTokens": 500,
    "costAllocation": { "team": "content" }
  }'`;
}

async function createKey() {
  const button = byId("create-key");
  button.disabled = true;
  byId("key-error").textContent = "";
  try {
    const key = await call("POST", "/api/user/dashboard-api-keys", { name: "First steps", scopes: ["ingest"] });
    trackerKey = key.apiKey;
    byId("key-text").textContent = trackerKey;
    byId("new-key").hidden = false;
    drawCurl();
  } catch (failure) {
    byId("key-error").textContent = failure.message;
  } finally {
    button.disabled = false;
  }
}

async function copy(button) {
  const source = byId(button.dataset.copies);
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1_500);
  } catch {
    getSelection().selectAllChildren(source);
  }
}

/** From when on events are watched for, and how many there were; `null` until the next look. */
let watched = { from: "2015-01-01", requests: 0 };

/** Looks for new events while the steps are open; the page says so within two seconds. */
async function watch() {
  if (document.visibilityState === "visible" && byId("first-call-steps").open) {
    try {
      const { totalRequests } = await call("GET", `/api/usage/stats?startDate=${watched.from}`);
      byId("failure").hidden = true;
      const before = watched.requests;
      watched.requests = totalRequests;
      if (before !== null && totalRequests > before) await noticeEvents(totalRequests - before);
    } catch (failure) {
      if (failure.status === 401) return location.reload();
      showFailure(failure);
    }
  }
  setTimeout(watch, POLL_MS);
}

async function noticeEvents(added) {
  const [newest] = await call("GET", "/api/usage?limit=1");
  const what = newest ? `: ${newest.model}, ${money(newest.cost)}` : "";
  byId("waiting").classList.add("done");
  byId("waiting-text").textContent = `${counted(added, "event", "events")} received${what}`;
  await loadOverview();
  show("overview", "first-call");
  drawChart();
}

// --- From the start ---

async function enter() {
  drawCurl();
  const recent = await loadOverview();
  const isEmpty = recent === 0 && (await call("GET", "/api/usage?limit=1")).length === 0;
  byId("first-call-steps").open = isEmpty;
  byId("waiting-text").textContent = isEmpty ? "Waiting for the first event…" : "Waiting for the next event…";
  // On an installation in use, only today is counted anew each time.
  if (!isEmpty) watched = { from: day(new Date()), requests: null };
  if (isEmpty) show("first-call");
  else show("overview", "first-call");
  drawChart();
  setTimeout(watch, POLL_MS);
  setInterval(() => {
    if (document.visibilityState === "visible" && !byId("overview").hidden) loadOverview().catch(showFailure);
  }, REFRESH_MS);
}

async function start() {
  setup = await call("GET", "/api/setup");
  try {
    await refresh();
  } catch (failure) {
    if (failure.status === 401) return openDoor(setup.needsOwner ? "owner" : "login");
    throw failure;
  }
  await enter();
}

byId("sign-in-form").addEventListener("submit", submitDoor);
byId("sign-in-other").addEventListener("click", otherDoor);
byId("log-out").addEventListener("click", logOut);
byId("create-key").addEventListener("click", createKey);
byId("download").addEventListener("click", download);
byId("failure-retry").addEventListener("click", () => location.reload());
for (const button of document.querySelectorAll("[data-copies]")) button.addEventListener("click", () => copy(button));
new ResizeObserver(drawChart).observe(byId("chart"));
start().catch((failure) => {
  show();
  showFailure(failure);
});
