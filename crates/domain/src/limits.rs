//! Bounds on what is kept, each with a name. Bounds on what is received are in the server.

use pricing::Money;

/// Bytes of a model, provider, tag, team, purpose or any other dimension value.
pub const DIMENSION_BYTES_MAX: usize = 256;
/// Records that what other models did inside one reply makes.
pub const SIDE_CALLS_MAX: usize = 16;
/// Tags of one record.
pub const TAGS_MAX: usize = 50;
/// Bytes of a request id or idempotency key, a session id or a trace id.
pub const REFERENCE_BYTES_MAX: usize = 256;
/// Bytes of a record's metadata as JSON text.
pub const METADATA_BYTES_MAX: usize = 64 * 1024;
/// Bytes kept of a prompt or of a completion; the rest is cut, and the record says so.
pub const CONTENT_BYTES_MAX: usize = 256 * 1024;
/// Bytes of an error message.
pub const ERROR_MESSAGE_BYTES_MAX: usize = 4 * 1024;
/// Tokens (or other units) of one call. No model comes near; a larger count is a mistake of the sender.
pub const COUNT_MAX: u64 = 1_000_000_000_000;
/// Cost of one call: 100,000 dollars. No call comes near; a larger figure is a mistake. Sums are 64-bit integers of
/// nano-dollars, which hold 92,233 such calls of one model, account, project and day.
pub const COST_MAX: Money = Money::from_nanos(100_000_000_000_000);
/// Longest response time of one call: a week.
pub const RESPONSE_TIME_MS_MAX: u64 = 7 * 24 * 3600 * 1000;
/// How far in the future a call may claim to have happened, to allow for clocks that are wrong.
pub const FUTURE_SECONDS_MAX: i64 = 24 * 3600;
/// The first moment a call may claim: no API sold tokens before 2015.
pub const FIRST_YEAR: i16 = 2015;
/// Characters of a project's or a person's name.
pub const NAME_CHARS_MAX: usize = 200;
/// Characters of a description.
pub const DESCRIPTION_CHARS_MAX: usize = 4_000;
/// Characters of what somebody says of an anomaly.
pub const NOTE_CHARS_MAX: usize = 500;
/// Bytes of a link.
pub const LINK_BYTES_MAX: usize = 2_048;
/// Annotations of the installation.
pub const ANNOTATIONS_MAX: usize = 100_000;
/// Bytes of an e-mail address (RFC 5321, 4.5.3.1.3: 256 with the angle brackets).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Bytes of a password; Argon2 would take more, but a hostile one costs time.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// Characters of a password at least.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Bytes of a provider's API key or credential.
pub const PROVIDER_KEY_BYTES_MAX: usize = 8 * 1024;
/// Members of one project.
pub const MEMBERS_MAX: usize = 1_000;
/// Alerts of one budget.
pub const ALERTS_MAX: usize = 20;
/// Budgets of the installation that are not a project's.
pub const BUDGETS_MAX: usize = 1_000;
/// Increases of one budget that have not ended.
pub const INCREASES_MAX: usize = 20;
/// Exchange rates of all currencies and days.
pub const FX_RATES_MAX: usize = 10_000;
/// Recipients of one alert.
pub const RECIPIENTS_MAX: usize = 50;
/// Models of a project's `allowedModels`.
pub const ALLOWED_MODELS_MAX: usize = 500;
/// Networks of a tracker key's `allowedIps`.
pub const ALLOWED_IPS_MAX: usize = 100;
/// Points of one timeline.
pub const BUCKETS_MAX: usize = 10_000;
/// Values of one filter.
pub const FILTER_VALUES_MAX: usize = 200;
/// Groups that one analytics answer holds.
pub const GROUPS_MAX: usize = 10_000;
/// Webhooks of one account, or of one project.
pub const WEBHOOKS_MAX: usize = 50;
/// Days for which something is kept at most, unless it is kept for ever.
pub const RETENTION_DAYS_MAX: u32 = 36_500;
