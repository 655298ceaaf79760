//! Bounds of the server that are not worth a setting, each with a name. Those that operators tune are in `[limits]` of
//! the configuration; bounds on what is kept are in [`domain::limits`].

/// Records that one append hands to the store; larger batches are cut.
pub const INGEST_BATCH_RECORDS: usize = 500;
/// Spans of agents of one account that wait to become records, or may still give way; further ones are rejected.
pub const AGGREGATES_OF_ACCOUNT_MAX: usize = 20_000;
/// Spans of agents that are decided of at once.
pub const AGGREGATES_AT_ONCE: usize = 500;
/// Results that a bulk reply lists one by one; beyond, only the counts grow.
pub const BULK_RESULTS_MAX: usize = 1_000;
/// Errors that a bulk reply lists one by one; beyond, only the count grows.
pub const BULK_ERRORS_MAX: usize = 1_000;
/// Items of a page at most.
pub const PAGE_ITEMS_MAX: u64 = 100;
/// Items of a page unless the caller asks.
pub const PAGE_ITEMS_DEFAULT: u64 = 20;
/// Deepest item that page numbers reach; beyond, cursors.
pub const PAGE_OFFSET_MAX: u64 = 100_000;
/// Anomalies that one digest counts.
pub const DIGEST_ANOMALIES_MAX: usize = 1_000;
/// Groups of one breakdown unless the caller asks.
pub const BREAKDOWN_GROUPS_DEFAULT: usize = 50;
/// Price changes of one answer; the latest are kept.
pub const PRICE_CHANGES_MAX: usize = 200;
/// Dimensions grouped by at once.
pub const GROUP_BY_MAX: usize = 3;
/// Projects compared at once.
pub const COMPARE_PROJECTS_MAX: usize = 20;
/// A tracker key's last use is noted at most this often, in seconds.
pub const KEY_TOUCH_SECONDS: i64 = 60;
/// Bytes of a user's preferences as JSON text.
pub const PREFERENCES_BYTES_MAX: usize = 64 * 1024;
/// Headers of a request (HTTP/1); more are 431.
pub const HEADERS_MAX: usize = 100;
/// Bytes of the head of a request (HTTP/1); more are 431.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The same for HTTP/2, as its peers count it.
pub const HTTP2_HEAD_BYTES_MAX: u32 = 64 * 1024;
/// Requests in progress on one HTTP/2 connection.
pub const HTTP2_STREAMS_MAX: u32 = 128;
/// Requests that an HTTP/2 client may take back before they were looked at; more end the connection.
pub const HTTP2_RESET_STREAMS_MAX: usize = 20;
/// Requests in progress at once; beyond, 503.
pub const REQUESTS_IN_PROGRESS_MAX: usize = 4_096;
/// Models that one simulation tries.
pub const SIMULATED_MODELS_MAX: usize = 10;
/// Calls that one simulation looks at.
pub const SIMULATED_RECORDS_MAX: u64 = 2_000_000;
/// Batches of calls that are read ahead of a simulation.
pub const SIMULATED_BATCHES_WAITING: usize = 4;
/// Kinds of calls whose prices a simulation remembers.
pub const SIMULATED_KINDS_KNOWN: usize = 10_000;
/// Combinations of tracker key, project and provider that the gateway remembers.
pub const GATEWAY_DOORS_MAX: usize = 4_096;
/// Replies whose record the gateway remembers.
pub const GATEWAY_REPLIES_MAX: usize = 16_384;
/// Keys and projects whose use a minute is remembered before those are forgotten that no longer matter.
pub const GATEWAY_RATES_MAX: usize = 16_384;
/// Records of the gateway that wait in memory for the store; beyond, they wait on disk only.
pub const GATEWAY_QUEUE_RECORDS: usize = 10_000;
/// Bytes of a reply that is read whole before it is passed on, so that its headers can tell its cost.
pub const GATEWAY_WHOLE_REPLY_BYTES: usize = 1024 * 1024;
/// Pieces of a stream that wait for a client that reads slowly.
pub const GATEWAY_PIECES_WAITING: usize = 8;
/// Bytes of a provider's error that are looked at for its message.
pub const GATEWAY_ERROR_BYTES: usize = 64 * 1024;
/// Bytes kept of what a receiver of a webhook, or a mail server, answered.
pub const RESPONSE_EXCERPT_BYTES: usize = 1_024;
/// Characters of a message that Discord takes.
pub const DISCORD_CHARS_MAX: usize = 2_000;
/// Deliveries under way at once.
pub const DELIVERIES_AT_ONCE: usize = 64;
/// Deliveries under way at once to one webhook or address.
pub const DELIVERIES_AT_ONCE_PER_TARGET: usize = 4;
/// Deliveries that may wait; beyond, only alerts of budgets are taken.
pub const DELIVERIES_WAITING_MAX: u64 = 100_000;
/// Days for which events and the log of their deliveries are kept.
pub const EVENT_DAYS_KEPT: i64 = 30;
/// Events forgotten in one write.
pub const SWEEP_EVENTS: usize = 1_000;
/// What is marked to be looked at, projects, keys and tags; beyond, every budget is.
pub const MARKED_SCOPES_MAX: usize = 10_000;
/// Models without a price that are marked to be told of; further ones are told of when they come again.
pub const MARKED_MODELS_MAX: usize = 100;
/// Bytes of what something was like, in the audit log; of more, only the size is kept.
pub const AUDIT_STATE_BYTES: usize = 32 * 1024;
/// Bytes of a path in the audit log.
pub const AUDIT_TARGET_BYTES: usize = 512;
/// Entries of the audit log that an export reads at once.
pub const AUDIT_EXPORT_ENTRIES: usize = 500;
/// Streams of what is recorded, in all.
pub const LIVE_STREAMS_MAX: usize = 512;
/// Streams of what is recorded, for one account or tracker key.
pub const LIVE_STREAMS_PER_CALLER_MAX: usize = 16;
/// Records that are read at once for streams.
pub const LIVE_PAGE_RECORDS: usize = 200;
/// Latest records that are remembered for all streams together.
pub const LIVE_WINDOW_RECORDS: usize = 2_000;
/// Records that a stream which was away, or reads slowly, is told of later; beyond, it is told that there were more.
pub const LIVE_BACKLOG_RECORDS: u64 = 10_000;
/// Events that wait for a stream whose client reads slowly.
pub const LIVE_EVENTS_WAITING: usize = 32;
/// Records that webhooks are told of in one write, at most in one event.
pub const TOLD_RECORDS: usize = 100;
/// Minutes within which a forgotten password can be replaced.
pub const RESET_MINUTES: i64 = 30;
/// Milliseconds in which a refresh token works once more, where two windows of a browser cannot take turns.
pub const REFRESH_GRACE_MS: u32 = 10_000;
/// Records that one write forgets.
pub const FORGOTTEN_AT_ONCE: usize = 200;
/// Records that one request corrects.
pub const CORRECTIONS_MAX: usize = 1_000;
/// Records of such a request that are corrected at once.
pub const CORRECTIONS_AT_ONCE: usize = 64;
