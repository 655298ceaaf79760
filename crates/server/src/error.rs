//! What a caller is told when a request cannot be answered.

use std::fmt;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{Invalid, Problem};
use serde::Serialize;
use store::StoreError;
use utoipa::ToSchema;

use crate::{
    auth::{password::PasswordError, token::SigningError},
    price_book::PricesError,
    vault::VaultError,
};

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $status:ident;)+) => {
        /// Stable code of an error: programs decide by it. Each is documented in `docs/reference/errors.md`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ #[serde(rename = $code)] $variant,)+
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word for it in JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// HTTP status that goes with it.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)+ }
            }

            /// What it means, in a sentence or two; the documentation shows it.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }

        domain::schema_of_words!(ErrorCode, "Stable code of an error: programs decide by it.");
    };
}

codes! {
    /// The body is not the JSON that the route takes.
    MalformedBody = "malformed_body", BAD_REQUEST;
    /// The query string or the path cannot be read.
    MalformedQuery = "malformed_query", BAD_REQUEST;
    /// No credential, or one that is not known.
    Unauthenticated = "unauthenticated", UNAUTHORIZED;
    /// The access token has expired; refresh it.
    TokenExpired = "token_expired", UNAUTHORIZED;
    /// E-mail address or password is wrong.
    InvalidCredentials = "invalid_credentials", UNAUTHORIZED;
    /// The refresh token is unknown, expired, revoked or was used before.
    InvalidRefreshToken = "invalid_refresh_token", UNAUTHORIZED;
    /// No key of the provider is stored for the caller, or it cannot be opened.
    ProviderKeyMissing = "provider_key_missing", UNAUTHORIZED;
    /// A budget that the call counts in blocks, and does not allow what the call may cost.
    BudgetExhausted = "budget_exhausted", PAYMENT_REQUIRED;
    /// The caller's role does not allow this.
    Forbidden = "forbidden", FORBIDDEN;
    /// The tracker key lacks the scope for this.
    ScopeMissing = "scope_missing", FORBIDDEN;
    /// The tracker key may not be used from this address.
    AddressNotAllowed = "address_not_allowed", FORBIDDEN;
    /// The project does not allow this model.
    ModelNotAllowed = "model_not_allowed", FORBIDDEN;
    /// A budget that the call counts in blocks and no price is known for the model, so nobody can say whether it allows the call.
    PriceUnknown = "price_unknown", FORBIDDEN;
    /// Registration is closed and the person holds no invitation.
    SignupClosed = "signup_closed", FORBIDDEN;
    /// There is no such route.
    RouteNotFound = "route_not_found", NOT_FOUND;
    /// The project does not exist or is not visible to the caller.
    ProjectNotFound = "project_not_found", NOT_FOUND;
    /// The usage record does not exist or is not visible to the caller.
    UsageNotFound = "usage_not_found", NOT_FOUND;
    /// The gateway knows no such provider.
    ProviderNotFound = "provider_not_found", NOT_FOUND;
    /// There is no such key.
    KeyNotFound = "key_not_found", NOT_FOUND;
    /// There is no such account.
    UserNotFound = "user_not_found", NOT_FOUND;
    /// The person is not a member of the project.
    MemberNotFound = "member_not_found", NOT_FOUND;
    /// The model is not in the price catalog.
    ModelNotFound = "model_not_found", NOT_FOUND;
    /// The webhook does not exist or the caller may not manage it.
    WebhookNotFound = "webhook_not_found", NOT_FOUND;
    /// The webhook has no such delivery, or it was forgotten: deliveries are kept for 30 days.
    DeliveryNotFound = "delivery_not_found", NOT_FOUND;
    /// The budget does not exist or is not visible to the caller, or the project has none.
    BudgetNotFound = "budget_not_found", NOT_FOUND;
    /// The increase does not exist, was withdrawn, or has ended.
    IncreaseNotFound = "increase_not_found", NOT_FOUND;
    /// The alert does not exist or is of a budget that the caller may not see.
    AlertNotFound = "alert_not_found", NOT_FOUND;
    /// The annotation does not exist or is of a project that the caller is not a member of.
    AnnotationNotFound = "annotation_not_found", NOT_FOUND;
    /// The anomaly does not exist or is of a project that the caller is not a member of.
    AnomalyNotFound = "anomaly_not_found", NOT_FOUND;
    /// The route exists, but not with this method.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED;
    /// The body did not arrive in time.
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT;
    /// An account with this e-mail address exists.
    EmailTaken = "email_taken", CONFLICT;
    /// The project would be left without an owner.
    OwnerRequired = "owner_required", CONFLICT;
    /// Somebody else changed the prices at the same time; nothing was written.
    PricesChanged = "prices_changed", CONFLICT;
    /// The webhook is switched off; nothing is sent to it.
    WebhookDisabled = "webhook_disabled", CONFLICT;
    /// No mail server is configured.
    MailNotConfigured = "mail_not_configured", CONFLICT;
    /// The project is switched off and takes no new usage.
    ProjectInactive = "project_inactive", CONFLICT;
    /// The body is larger than the route takes.
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE;
    /// The body's `Content-Type` is not one that the route takes.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE;
    /// Well-formed, but a value cannot be accepted; `details` names the fields.
    InvalidInput = "invalid_input", UNPROCESSABLE_ENTITY;
    /// No exchange rate of the budget's currency is known.
    FxRateMissing = "fx_rate_missing", UNPROCESSABLE_ENTITY;
    /// The token for a new password was used, has expired, or was replaced by a later one.
    InvalidResetToken = "invalid_reset_token", UNPROCESSABLE_ENTITY;
    /// Too many requests; `Retry-After` says when to come back.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS;
    /// The provider could not be reached, showed no valid certificate, or broke off before it answered.
    ProviderUnreachable = "provider_unreachable", BAD_GATEWAY;
    /// The provider did not begin to answer in time.
    ProviderTimeout = "provider_timeout", GATEWAY_TIMEOUT;
    /// The gateway has as many calls under way as it may, or cannot record any more; try again.
    GatewayBusy = "gateway_busy", SERVICE_UNAVAILABLE;
    /// A bug; the log has the cause under the request id.
    Internal = "internal", INTERNAL_SERVER_ERROR;
    /// So much waits to be written that no more is taken; try again.
    StoreBusy = "store_busy", SERVICE_UNAVAILABLE;
    /// The store cannot be reached or its disk is full; nothing was recorded.
    StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE;
}

/// An answer that says why there is no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// What programs decide by.
    pub code: ErrorCode,
    /// What a person reads.
    pub message: String,
    /// Which fields are wrong, if it is about fields.
    pub details: Vec<Problem>,
    /// Seconds after which to try again.
    pub retry_after_seconds: Option<u64>,
}

/// Shorthand of every handler.
pub type Result<T, E = ApiError> = std::result::Result<T, E>;

impl ApiError {
    /// An error with this code and message.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new(), retry_after_seconds: None }
    }

    /// The same, with a `Retry-After`.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_seconds: Some(seconds), ..self }
    }

    /// No credential, or one that is not known.
    pub fn unauthenticated() -> Self {
        Self::new(
            ErrorCode::Unauthenticated,
            "send an access token or a tracker key: Authorization: Bearer … (or X-API-Key: …)",
        )
    }

    /// The project does not exist, or the caller may not know that it does.
    pub fn project_not_found() -> Self {
        Self::new(ErrorCode::ProjectNotFound, "there is no such project, or you are not a member of it")
    }

    /// The caller's role does not allow it.
    pub fn forbidden(needed: &str) -> Self {
        Self::new(ErrorCode::Forbidden, format!("this needs the role {needed}"))
    }

    /// A bug. The cause goes to the log, not to the caller.
    pub fn internal(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::new(ErrorCode::Internal, "something went wrong on the server; its log says what")
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        Self { details: invalid.0.clone(), ..Self::new(ErrorCode::InvalidInput, invalid.to_string()) }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::new(ErrorCode::StoreBusy, error.to_string()).retry_after(1),
            StoreError::Unavailable(cause) => {
                tracing::error!(cause, "the store is unavailable");
                Self::new(ErrorCode::StoreUnavailable, "the store is unavailable; nothing was recorded")
                    .retry_after(5)
            }
            StoreError::TooManyGroups(_) => Invalid::field("groupBy", error.to_string()).into(),
            StoreError::BadCursor => Invalid::field("cursor", "was not made by this server").into(),
            StoreError::Conflict("email") => {
                Self::new(ErrorCode::EmailTaken, "an account with this e-mail address exists")
            }
            StoreError::Conflict("owner") => Self::new(
                ErrorCode::OwnerRequired,
                "a project needs at least one owner; name another one first",
            ),
            StoreError::Conflict("account" | "invitation") => Self::new(
                ErrorCode::SignupClosed,
                "registration is closed; ask an administrator for an invitation",
            ),
            StoreError::Conflict("reference") => Self::new(
                ErrorCode::ProjectNotFound,
                "the project or the account was deleted in the meantime",
            ),
            StoreError::Conflict(_)
            | StoreError::Overflow(_)
            | StoreError::TooNew { .. }
            | StoreError::Locked(_)
            | StoreError::Damaged(_) => Self::internal(error),
        }
    }
}

impl From<PricesError> for ApiError {
    fn from(error: PricesError) -> Self {
        match error {
            PricesError::Store(StoreError::Conflict(_)) => Self::new(
                ErrorCode::PricesChanged,
                "the prices were changed in the meantime; look again, then try again",
            ),
            PricesError::Store(error) => error.into(),
            PricesError::Damaged(..) => Self::internal(error),
            PricesError::Invalid { field, message } => Invalid::field(field, message).into(),
        }
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::new(ErrorCode::StoreBusy, error.to_string()).retry_after(1),
            PasswordError::Argon2(_) | PasswordError::Malformed | PasswordError::Interrupted => {
                Self::internal(error)
            }
        }
    }
}

impl From<SigningError> for ApiError {
    fn from(error: SigningError) -> Self {
        Self::internal(error)
    }
}

impl From<VaultError> for ApiError {
    fn from(error: VaultError) -> Self {
        Self::internal(error)
    }
}

/// Body of every failure.
#[derive(Debug, Serialize, ToSchema)]
pub struct Failure {
    /// Always `false`.
    success: bool,
    /// What went wrong.
    error: FailureCause,
    /// The same message once more, where existing clients read it.
    message: String,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
struct FailureCause {
    /// Stable code.
    code: ErrorCode,
    /// For people.
    message: String,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Problem>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let failure = Failure {
            success: false,
            message: self.message.clone(),
            error: FailureCause {
                code: self.code,
                message: self.message.clone(),
                details: self.details.clone(),
            },
        };
        let mut response = (status, Json(failure)).into_response();
        let retry_after_seconds = self.retry_after_seconds;
        // For layers around routes that say it in another way.
        response.extensions_mut().insert(self);
        if let Some(seconds) = retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
