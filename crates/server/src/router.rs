//! Every route, in one place.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    cors::CorsLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        alerts, analytics, annotations, anomalies, audit as audit_log, budgets, digest, docs, erasures,
        exports, fx_rates, health, katana, members, notifications, password_reset, prices, profile, projects,
        provider_keys, session, setup, tracker_keys, usage, usage_bulk, usage_correction, usage_corrections,
        usage_stream, webhooks,
    },
    app::App,
    audit, dashboard,
    error::{ApiError, ErrorCode},
    gateway, otlp, rate_limit, telemetry,
};

/// Head of the OpenAPI document; the routes come from [`routes()`].
#[derive(OpenApi)]
#[openapi(
    info(
        title = "AI Cost Tracker",
        description = "Records every LLM call, knows its exact cost, and shows whom it was for.\n\nEvery answer is `{ \"success\": true, \"data\": … }` or `{ \"success\": false, \"error\": { \"code\", \"message\", \"details\" }, \"message\" }`. Money is a decimal number of US dollars with its exact digits. Times are RFC 3339 in UTC.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    modifiers(&Credentials),
    security(("accessToken" = []), ("trackerKey" = []))
)]
struct Document;

/// Names the ways to authenticate.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An access token (from /auth/login) or a tracker key (aict_…)"))
            .build();
        components.add_security_scheme("accessToken", SecurityScheme::Http(bearer));
        let key = ApiKeyValue::with_description("X-API-Key", "A tracker key (aict_…)");
        components.add_security_scheme("trackerKey", SecurityScheme::ApiKey(ApiKey::Header(key)));
    }
}

fn api() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(session::register))
        .routes(routes!(session::login))
        .routes(routes!(session::refresh_session))
        .routes(routes!(session::logout))
        .routes(routes!(session::change_password))
        .routes(routes!(password_reset::forgot_password))
        .routes(routes!(password_reset::reset_password))
        .routes(routes!(session::get_current_user))
        .routes(routes!(profile::get_profile, profile::update_profile))
        .routes(routes!(provider_keys::list_provider_keys, provider_keys::add_provider_key))
        .routes(routes!(provider_keys::remove_provider_key))
        .routes(routes!(tracker_keys::list_tracker_keys, tracker_keys::create_tracker_key))
        .routes(routes!(tracker_keys::update_tracker_key, tracker_keys::delete_tracker_key))
        .routes(routes!(projects::list_projects, projects::create_project))
        .routes(routes!(projects::get_project, projects::update_project, projects::delete_project))
        .routes(routes!(members::list_members, members::add_member))
        .routes(routes!(members::update_member, members::remove_member))
        .routes(routes!(analytics::get_analytics_of_project))
        .routes(routes!(analytics::allocation::get_cost_allocation))
        .routes(routes!(exports::export_project))
        .routes(routes!(usage::track_usage))
        .routes(routes!(katana::track_usage_sdk))
        .routes(routes!(katana::log_calls))
        .routes(routes!(katana::report_request))
        .routes(routes!(usage_bulk::track_usage_bulk))
        .routes(routes!(usage::list_usage))
        .routes(routes!(usage::search_usage))
        .routes(routes!(usage_stream::stream_usage))
        .routes(routes!(usage_corrections::correct_usage))
        .routes(routes!(analytics::get_usage_stats))
        .routes(routes!(exports::export_usage))
        .routes(routes!(usage::get_usage, usage_correction::update_usage, usage_correction::delete_usage))
        .routes(routes!(erasures::erase_person))
        .routes(routes!(analytics::get_analytics))
        .routes(routes!(analytics::get_project_analytics))
        .routes(routes!(analytics::compare::compare_projects))
        .routes(routes!(analytics::compare::compare_projects_by_body))
        .routes(routes!(analytics::export::export_analytics))
        .routes(routes!(annotations::list_annotations, annotations::create_annotation))
        .routes(routes!(annotations::delete_annotation))
        .routes(routes!(setup::get_setup))
        .routes(routes!(setup::get_settings))
        .routes(routes!(prices::list_prices))
        .routes(routes!(prices::changes::list_price_changes))
        .routes(routes!(prices::rules::get_price_rules, prices::rules::replace_price_rules))
        .routes(routes!(prices::rules::get_model_mappings, prices::rules::replace_model_mappings))
        .routes(routes!(prices::import::import_prices))
        .routes(routes!(prices::import::list_price_revisions))
        .routes(routes!(prices::get_model_prices))
        .routes(routes!(prices::estimate::estimate_cost))
        .routes(routes!(prices::simulate::simulate_costs))
        .routes(routes!(prices::reprice::reprice_usage))
        .merge(notifications())
}

/// What people and programs are told, and who changed what.
fn notifications() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(audit_log::list_audit))
        .routes(routes!(audit_log::verify_audit))
        .routes(routes!(audit_log::export_audit))
        .routes(routes!(budgets::list_budgets, budgets::create_budget))
        .routes(routes!(budgets::get_budget, budgets::update_budget, budgets::delete_budget))
        .routes(routes!(budgets::status::get_budget_status))
        .routes(routes!(
            budgets::increases::list_budget_increases,
            budgets::increases::create_budget_increase
        ))
        .routes(routes!(budgets::increases::withdraw_budget_increase))
        .routes(routes!(fx_rates::list_fx_rates, fx_rates::replace_fx_rates))
        .routes(routes!(alerts::list_alerts))
        .routes(routes!(alerts::count_unread_alerts))
        .routes(routes!(alerts::read_all_alerts))
        .routes(routes!(alerts::update_alert, alerts::delete_alert))
        .routes(routes!(anomalies::list_anomalies))
        .routes(routes!(anomalies::update_anomaly))
        .routes(routes!(digest::get_digest, digest::update_digest))
        .routes(routes!(digest::preview_digest))
        .routes(routes!(notifications::test_email))
        .routes(routes!(webhooks::list_webhooks, webhooks::create_webhook))
        .routes(routes!(webhooks::get_webhook, webhooks::update_webhook, webhooks::delete_webhook))
        .routes(routes!(webhooks::rotate_webhook_secret))
        .routes(routes!(webhooks::deliveries::test_webhook))
        .routes(routes!(webhooks::deliveries::list_webhook_deliveries))
        .routes(routes!(webhooks::deliveries::replay_webhook_delivery))
}

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .nest("/api", api())
        .routes(routes!(otlp::export_traces))
        .routes(routes!(otlp::export_logs))
        .routes(routes!(otlp::export_metrics))
        .route("/", get(dashboard::get_page))
        .routes(routes!(docs::get_openapi))
        .routes(routes!(docs::get_api_page))
        .routes(routes!(health::check_health))
        .routes(routes!(health::check_readiness))
        .routes(routes!(health::get_metrics))
}

/// The OpenAPI document of every route.
pub fn openapi() -> openapi::OpenApi {
    routes().split_for_parts().1
}

/// The service.
pub fn service(app: App) -> Router {
    let (router, _) = routes().split_for_parts();
    let request_id = HeaderName::from_static("x-request-id");
    let layers = ServiceBuilder::new()
        .layer(SetRequestIdLayer::new(request_id.clone(), MakeRequestUuid))
        .layer(PropagateRequestIdLayer::new(request_id))
        .layer(middleware::from_fn(telemetry::observe))
        .layer(middleware::from_fn(otlp::refuse_as_otlp))
        .layer(CatchPanicLayer::custom(|_| ApiError::internal("a handler panicked").into_response()))
        .layer(cors(&app))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_FRAME_OPTIONS,
            HeaderValue::from_static("DENY"),
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
        .layer(middleware::from_fn_with_state(app.clone(), rate_limit::limit))
        .layer(middleware::from_fn_with_state(app.clone(), bound_requests))
        .layer(middleware::from_fn_with_state(app.clone(), audit::keep))
        .layer(CompressionLayer::new());
    router
        .fallback(dashboard::get_file_or_page)
        .method_not_allowed_fallback(|| async {
            ApiError::new(ErrorCode::MethodNotAllowed, "the route does not take this method; see /docs/api")
        })
        .layer(layers)
        .merge(gateway_service())
        .with_state(app)
}

/// The gateway passes headers and bodies as they are: of the layers only those that watch are around it.
fn gateway_service() -> Router<App> {
    gateway::routes().layer(
        ServiceBuilder::new()
            .layer(middleware::from_fn(telemetry::observe))
            .layer(CatchPanicLayer::custom(|_| ApiError::internal("a handler panicked").into_response())),
    )
}

/// Other sites' pages may only call from origins that the operator names.
fn cors(app: &App) -> CorsLayer {
    let origins: Vec<HeaderValue> = app
        .config
        .server
        .cors_origins
        .iter()
        .filter_map(|origin| HeaderValue::try_from(origin.as_str()).ok())
        .collect();
    CorsLayer::new()
        .allow_origin(origins)
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("x-api-key"),
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([
            header::RETRY_AFTER,
            HeaderName::from_static("ratelimit-limit"),
            HeaderName::from_static("ratelimit-remaining"),
            HeaderName::from_static("ratelimit-reset"),
        ])
}

/// Refuses what is more than the server can have in progress, rather than run out of memory.
async fn bound_requests(State(app): State<App>, request: Request, next: Next) -> Response {
    match app.requests.try_acquire() {
        Ok(_permit) => next.run(request).await,
        Err(_) => ApiError::new(ErrorCode::StoreBusy, "too many requests in progress; try again")
            .retry_after(1)
            .into_response(),
    }
}
