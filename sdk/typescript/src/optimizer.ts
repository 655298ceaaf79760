import { Call } from "./call.js";
import { type Clock, systemClock } from "./clock.js";
import { attributionHere, merged } from "./context.js";
import { closeAtExit } from "./exit.js";
import { type Fetch, type Metering, meteredFetch } from "./fetch.js";
import { observeClient } from "./observe.js";
import {
  type AICostOptimizerOptions,
  environment,
  providerKeyOf,
  providerUrlOf,
  QUEUE_DEFAULTS,
  regionOf,
  trackerOf,
} from "./options.js";
import { type Change, type Optimizations, type Prompt, prepare } from "./prompt.js";
import { countsOf, type Provider, type ProviderAccess, requestOf, type TokenCounts, textOf } from "./providers.js";
import { type KeyedRecord, Queue, type QueueStats } from "./queue.js";
import { isObject, type JsonObject } from "./reply.js";
import { cheaperModel, type Optimization, type Priced, savingOf, unpriced } from "./savings.js";
import { serviceAt, type Target } from "./target.js";
import { Tracker } from "./tracker.js";
import type {
  Analytics,
  AnalyticsQuery,
  Attribution,
  BudgetStatus,
  BulkOutcome,
  Comparison,
  Estimate,
  Tracked,
  UsageRecord,
} from "./types.js";

/** The provider refused, or could not be reached: what the call itself would have thrown. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";

  constructor(
    message: string,
    readonly status: number,
    readonly body: unknown,
  ) {
    super(message);
  }
}

export interface OptimizeRequest extends Prompt, Attribution {
  model: string;
  maxTokens?: number;
  temperature?: number;
  /** Fields for the provider as they are: tools, response_format, … */
  extra?: Record<string, unknown>;
  /** Instead of the `optimizations` of the constructor. */
  optimizations?: boolean | Optimizations;
}

/** What is said of an answered call beside request and reply. `service` follows from the model when missing. */
export interface ReplyAttribution extends Attribution {
  service?: string;
}

export interface OptimizeResponse {
  /** Id of the tracker's record; null if it has not taken it (yet). */
  id: string | null;
  provider: Provider;
  model: string;
  text: string;
  usage: TokenCounts;
  /** US dollars; null is unknown, not free. */
  cost: number | null;
  optimizations: Optimization[];
  /** The provider's reply as it came. */
  response: JsonObject;
}

/** Records in one request of an import. */
const IMPORT_BATCH = 500;
const ALL: Optimizations = { whitespace: true, duplicates: true, cacheOrder: true, cheaperModel: true };

/** Calls providers, meters clients, and tells an AI Cost Tracker what was used. */
export class AICostOptimizer {
  private readonly clock: Clock;
  private readonly http: Fetch;
  private readonly tracker: Tracker;
  private readonly queue: Queue;
  private readonly access: ProviderAccess | undefined;
  private readonly defaults: Attribution;

  constructor(private readonly options: AICostOptimizerOptions = {}) {
    const env = environment();
    this.clock = options.clock ?? systemClock;
    this.http = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    const { baseUrl, apiKey } = trackerOf(options, env);
    this.tracker = new Tracker(baseUrl, apiKey, options.timeoutMs ?? 10_000, this.http, this.clock.now);
    // biome-ignore lint/suspicious/noConsole: somebody has to be told, and here is no logger
    const onProblem = options.onProblem ?? ((message: string) => console.warn(message));
    this.queue = new Queue(this.tracker, this.clock, { ...QUEUE_DEFAULTS, ...options.queue, onProblem });
    closeAtExit(this.queue);
    const key = providerKeyOf(options, env);
    const provider = options.provider ?? "openai";
    const region = regionOf(options, env);
    this.access = key ? { provider, apiKey: key, region, baseUrl: providerUrlOf(options, env) } : undefined;
    const projectId = options.defaultProjectId ?? env.PROJECT_ID;
    this.defaults = projectId ? { projectId } : {};
  }

  /** Asks the provider, tells the tracker, and answers with what it cost. Throws only what the provider is to blame for. */
  async optimize(request: OptimizeRequest): Promise<OptimizeResponse> {
    const { access } = this;
    if (!access) throw new ProviderError(`no key for ${this.options.provider ?? "openai"}`, 401, undefined);
    const wanted = optimizationsOf(request.optimizations ?? this.options.optimizations);
    const { messages, changes } = prepare(request, wanted);
    const asked = await requestOf(access, { ...request, messages }, new Date(this.clock.now()));
    const service = access.baseUrl ? serviceAt(asked.url.hostname, access.provider) : access.provider;
    const target = { service, operation: "chat", model: request.model };
    let record: KeyedRecord | undefined;
    const call = this.begin(target, asked.body, this.attributionOf(request), (made) => {
      record = made;
    });
    const { reply, byGateway } = await this.ask(asked.url, asked.init, call, () => record);
    const counts = countsOf(access.provider, reply);
    const [tracked, optimizations] = await Promise.all([
      byGateway ?? (record && this.trackNow(record)),
      this.savings({ service, model: request.model }, changes, counts, wanted),
    ]);
    return {
      id: tracked?.id ?? null,
      provider: access.provider,
      model: call.reply.model ?? request.model,
      text: textOf(access.provider, reply),
      usage: counts,
      cost: tracked?.cost ?? null,
      optimizations,
      response: reply,
    };
  }

  /** Records one call and waits for the tracker's word. Throws a `TrackerError`; the same `requestId` counts once. */
  trackUsage(record: UsageRecord): Promise<Tracked> {
    return this.tracker.post<Tracked>("/usage/track", this.keyed(record));
  }

  /**
   * Records a call that was answered, by its request and the provider's whole reply, and waits for the tracker's word. A reply
   * with an id counts once. Throws a `TrackerError`.
   */
  trackReply(request: unknown, reply: unknown, options: ReplyAttribution = {}): Promise<Tracked> {
    const { service, ...attribution } = options;
    const model = isObject(request) && typeof request.model === "string" ? request.model : undefined;
    let made: KeyedRecord | undefined;
    const target = { service: service ?? "", operation: "chat", model };
    const call = this.begin(target, request, this.attributionOf(attribution), (record) => {
      made = record;
    });
    call.add(reply);
    call.ends("whole");
    // What it was and how long it took is not known here; of a reply with an id the tracker makes the key.
    const { operation, responseTime, requestId, ...known } = made ?? this.keyed({ model: model ?? "unknown" });
    const key = call.reply.id === undefined ? { requestId } : {};
    return this.tracker.post<Tracked>("/usage/track", { ...known, service, ...key });
  }

  /**
   * Records the calls of a batch by its results: the lines of OpenAI's, Gemini's or Bedrock's file, or what Anthropic's client
   * answers. They cost what a batch does. Calls that failed are not charged and not recorded; a reply counts once. `service` says
   * who answered where the model does not. Throws a `TrackerError`.
   */
  async trackBatch(results: Iterable<unknown>, options: ReplyAttribution = {}): Promise<BulkOutcome> {
    const { service, ...attribution } = options;
    const records: KeyedRecord[] = [];
    for (const result of results) {
      const line = typeof result === "string" ? parsed(result) : result;
      const target = { service: service ?? "", operation: "chat", model: undefined };
      const call = this.begin(target, undefined, this.attributionOf(attribution), (record) => records.push(record));
      call.add(line);
      if (call.reply.isBatched && call.reply.isCounted) call.ends("whole");
    }
    // What kind of calls they were and how long they took is not known here.
    return this.bulkImport(records.map(({ operation, responseTime, ...known }) => ({ ...known, service })));
  }

  /** Records one call later, with others. Never throws, never waits. */
  queueUsage(record: UsageRecord): void {
    if (this.isTracking) this.queue.push(this.keyed(record));
  }

  /** Records many calls. Bad ones fail alone and are listed in `errors`. Throws a `TrackerError`. */
  async bulkImport(records: UsageRecord[]): Promise<BulkOutcome> {
    const total: BulkOutcome = { successful: 0, duplicates: 0, failed: 0, results: [], errors: [] };
    for (let start = 0; start < records.length; start += IMPORT_BATCH) {
      const usageData = records.slice(start, start + IMPORT_BATCH).map((record) => this.keyed(record));
      const outcome = await this.tracker.post<BulkOutcome>("/usage/bulk", { usageData });
      total.successful += outcome.successful;
      total.duplicates += outcome.duplicates;
      total.failed += outcome.failed;
      const placed = <Item extends { index: number }>(item: Item): Item => ({ ...item, index: item.index + start });
      total.results.push(...outcome.results.map(placed));
      total.errors.push(...outcome.errors.map(placed));
    }
    return total;
  }

  getProjectAnalytics(projectId: string, query: AnalyticsQuery = {}): Promise<Analytics> {
    return this.tracker.get<Analytics>(`/analytics/projects/${encodeURIComponent(projectId)}`, query);
  }

  compareProjects(projectIds: string[], query: AnalyticsQuery = {}): Promise<Comparison> {
    return this.tracker.get<Comparison>("/analytics/projects/compare", { ...query, projectIds: projectIds.join(",") });
  }

  getBudgetStatus(projectId: string): Promise<BudgetStatus> {
    return this.tracker.get<BudgetStatus>(`/budgets/${encodeURIComponent(projectId)}/status`);
  }

  /** What a call would cost; records nothing. */
  estimate(call: UsageRecord): Promise<Estimate> {
    return this.tracker.post<Estimate>("/prices/estimate", call);
  }

  /**
   * Meters a client of OpenAI, Anthropic, Google GenAI or AWS's Bedrock runtime in place, streams included, and returns it.
   * `attribution` may be a function: it is called when a call begins. `service` says whose replies they are where the
   * client's address does not.
   */
  observe<Client extends object>(client: Client, attribution: Attributing = {}, service?: string): Client {
    if (this.isTracking) observeClient(client, (kind) => this.metering(attribution, kind, service));
    return client;
  }

  /** A `fetch` that meters, for clients that take one. */
  meteredFetch(attribution: Attributing = {}, service?: string): Fetch {
    return this.isTracking ? meteredFetch(this.http, this.metering(attribution, "openai", service)) : this.http;
  }

  /** Sends what waits. */
  flush(): Promise<void> {
    return this.queue.flush();
  }

  /** Sends what waits and ends; what cannot be sent in time is counted and reported. */
  close(): Promise<void> {
    return this.queue.close();
  }

  /** Records sent, known before, lost, and waiting. */
  get stats(): QueueStats {
    return this.queue.stats;
  }

  private get isTracking(): boolean {
    return this.options.trackUsage !== false;
  }

  private keyed(record: UsageRecord): KeyedRecord {
    const around = { ...this.defaults, ...attributionHere() };
    return merged(around, { requestId: this.clock.uniqueKey(), ...record } as KeyedRecord);
  }

  private attributionOf({ projectId, costAllocation, tags, ...rest }: Attribution): Attribution {
    const { userEmail, customerEmail, sessionId, traceId, metadata } = rest;
    const said = { projectId, costAllocation, tags, userEmail, customerEmail, sessionId, traceId, metadata };
    return merged({ ...this.defaults, ...attributionHere() }, said as Attribution);
  }

  private metering(attribution: Attributing, kind: string, service: string | undefined): Metering {
    const gateway = `${this.tracker.baseUrl.replace(/\/api$/, "")}/gateway/`;
    return {
      service: service ?? kind,
      isServiceGiven: service !== undefined,
      isGateway: (url) => url.href.startsWith(gateway),
      begin: (target, request) => {
        const said = typeof attribution === "function" ? attribution() : attribution;
        return this.begin(target, request, this.attributionOf(said), (record) => this.queue.push(record));
      },
    };
  }

  private begin(
    target: Target,
    request: unknown,
    attribution: Attribution,
    record: (record: KeyedRecord) => void,
  ): Call {
    const sendTexts = this.options.sendTexts ?? "uncounted";
    return new Call(target, request, attribution, { clock: this.clock, sendTexts, record });
  }

  /** The provider's reply, and what the gateway said of it if it came that way. */
  private async ask(url: URL, init: RequestInit, call: Call, record: () => KeyedRecord | undefined) {
    let response: Response;
    let text: string;
    try {
      response = await this.http(url.href, init);
      text = await response.text();
    } catch (error) {
      call.ends("unreachable");
      this.queueFailed(record());
      throw error;
    }
    const body = parsed(text);
    const recordId = response.headers.get("x-cost-request-id");
    if (response.ok && isObject(body)) {
      call.add(body);
      call.ends("whole", response.status);
      const cost = response.headers.get("x-cost-usd");
      return {
        reply: body,
        byGateway: recordId ? { id: recordId, cost: cost === null ? null : Number(cost) } : undefined,
      };
    }
    call.ends("whole", response.status, body);
    if (!recordId) this.queueFailed(record());
    throw new ProviderError(`${url.host} answered ${response.status}`, response.status, body ?? text);
  }

  private queueFailed(record: KeyedRecord | undefined): void {
    if (record && this.isTracking) this.queue.push(record);
  }

  /** What the tracker says of a record at once; else it goes into the queue, under the same key. */
  private async trackNow(record: KeyedRecord): Promise<Tracked | undefined> {
    if (!this.isTracking) return undefined;
    const tracked = await this.soon(this.tracker.post<Tracked>("/usage/track", record));
    if (!tracked) this.queue.push(record);
    return tracked;
  }

  /** What was changed and what could be, with what it saves. */
  private async savings(priced: Priced, changes: Change[], counts: TokenCounts, wanted: Optimizations) {
    const tracker = this.isTracking ? this.tracker : undefined;
    const among = Array.isArray(wanted.cheaperModel) ? wanted.cheaperModel : undefined;
    const suggestion = wanted.cheaperModel && tracker ? cheaperModel(tracker, priced, counts, among) : undefined;
    const saved = changes.map(
      async (change) => (await this.soon(savingOf(tracker, priced, change))) ?? unpriced(change),
    );
    const all = await Promise.all([...saved, suggestion && this.soon(suggestion)]);
    return all.filter((optimization) => optimization !== undefined);
  }

  /** The result, if it comes in time and well. */
  private soon<T>(result: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve) => {
      const cancel = this.clock.after(this.options.costWaitMs ?? 3_000, () => resolve(undefined), true);
      const settle = (value: T | undefined) => {
        cancel();
        resolve(value);
      };
      result.then(settle, () => settle(undefined));
    });
  }
}

/** Who calls are for: always the same, or asked for when a call begins. */
export type Attributing = Attribution | (() => Attribution);

function optimizationsOf(wanted: boolean | Optimizations | undefined): Optimizations {
  return wanted === true ? ALL : wanted || {};
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
