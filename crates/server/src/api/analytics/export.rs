//! Sums as a file.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use domain::query::{Dimension, Group};

use crate::{
    analytics::{Question, Wanted},
    api::{
        analytics::{
            breakdown::Labels,
            groups::GroupContext,
            question::{AnalyticsParams, is_parameter, metric, question},
        },
        exports::{FormatParam, format_of},
        usage_query::{FilterParams, NONE},
    },
    app::App,
    auth::{Auth, Read},
    error::{ApiError, Failure, Result},
    export::{Format, csv_rows, spreadsheet_safe},
    input::Pairs,
};

/// Download sums: one row for each point in time and group that has records.
#[utoipa::path(get, path = "/analytics/export", tag = "Analytics", operation_id = "export_analytics",
    params(FormatParam, AnalyticsParams, FilterParams),
    responses((status = 200, content((String = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"))), (status = 401, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn export_analytics(State(app): State<App>, auth: Auth<Read>, pairs: Pairs) -> Result<Response> {
    pairs.only(|name| is_parameter(name) || name == "format")?;
    let format = format_of(&pairs)?;
    let question = question(&pairs, auth.caller.visibility(&app).await?, app.clock.now())?;
    let metric = metric(&pairs)?;
    let sums = question.sums(&app, Wanted { whole: true, timeline: false, groups: true }).await?;
    let groups = &sums.groups;
    let labels = Labels::load_with_keys(&app, &question, groups.iter().map(|group| &group.keys)).await?;
    let context = GroupContext { question: &question, labels: &labels, metric, sums: &sums };
    let views = || groups.iter().map(|group| context.view(group));
    let body = match format {
        Format::Csv => table(&question, &context, groups)?,
        Format::Json => serde_json::to_vec(&views().collect::<Vec<_>>()).map_err(ApiError::internal)?,
        Format::Ndjson => {
            let mut lines = Vec::new();
            for view in views() {
                serde_json::to_writer(&mut lines, &view).map_err(ApiError::internal)?;
                lines.push(b'\n');
            }
            lines
        }
    };
    let (media_type, ending) = format.media_type();
    let disposition = format!("attachment; filename=\"analytics.{ending}\"");
    Ok(([(header::CONTENT_TYPE, media_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)], body)
        .into_response())
}

fn table(question: &Question, context: &GroupContext<'_>, groups: &[Group]) -> Result<Vec<u8>> {
    let mut head = vec!["date".to_owned()];
    for dimension in &question.group_by {
        head.push(dimension.as_str().to_owned());
        if has_name(*dimension) {
            head.push(format!("{}Name", dimension.as_str()));
        }
    }
    let sums =
        ["requests", "errors", "unpriced", "inputTokens", "outputTokens", "tokens", "cost", "listCost"];
    let more = ["cacheReadTokens", "cacheWriteTokens", "cacheHitRate"];
    let ratios = ["costPerRequest", "costPerMillionTokens", "share"];
    head.extend(sums.into_iter().chain(more).chain(ratios).map(str::to_owned));
    if question.compared_with.is_some() && !question.groups_by_time {
        head.extend(["costBefore", "change", "changePercentage"].map(str::to_owned));
    }
    let rows = groups.iter().map(|group| row(question, context, group));
    csv_rows(std::iter::once(head).chain(rows))
}

/// Whether the values of the dimension are ids, which people know by a name.
fn has_name(dimension: Dimension) -> bool {
    matches!(dimension, Dimension::Project | Dimension::User | Dimension::TrackerKey)
}

fn row(question: &Question, context: &GroupContext<'_>, group: &Group) -> Vec<String> {
    let (totals, view) = (&group.totals, context.view(group));
    let mut row = vec![context.date(group.bucket).unwrap_or_default()];
    for (dimension, key) in question.group_by.iter().zip(&group.keys) {
        row.push(spreadsheet_safe(key.as_deref().unwrap_or(NONE)));
        if has_name(*dimension) {
            row.push(spreadsheet_safe(&context.name(*dimension, key.as_deref())));
        }
    }
    let is_known = totals.requests == 0 || totals.unpriced < totals.requests;
    row.extend([
        totals.requests.to_string(),
        totals.errors.to_string(),
        totals.unpriced.to_string(),
        totals.input_tokens.to_string(),
        totals.output_tokens.to_string(),
        totals.tokens.to_string(),
        if is_known { totals.cost.to_string() } else { String::new() },
        totals.list_cost.to_string(),
        totals.cache_read_tokens.to_string(),
        totals.cache_write_tokens.to_string(),
        or_empty(view.cache_hit_rate),
        or_empty(view.cost_per_request),
        or_empty(view.cost_per_million_tokens),
        or_empty(view.share),
    ]);
    if let Some(before) = view.before {
        row.extend([before.cost.to_string(), or_empty(before.change), or_empty(before.change_percentage)]);
    }
    row
}

fn or_empty(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
