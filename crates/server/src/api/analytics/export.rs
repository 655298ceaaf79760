//! Sums as a file.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use domain::query::{Dimension, Group};

use crate::{
    analytics::Question,
    api::{
        analytics::{
            GroupView, date_label,
            question::{AnalyticsParams, is_parameter, question},
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
    let groups = question.groups(&app).await?;
    let views = || groups.iter().map(|group| GroupView::new(&question, group));
    let body = match format {
        Format::Csv => table(&question, &groups)?,
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

fn table(question: &Question, groups: &[Group]) -> Result<Vec<u8>> {
    let dimensions = question.group_by.iter().map(|dimension: &Dimension| dimension.as_str());
    let sums =
        ["requests", "errors", "unpriced", "inputTokens", "outputTokens", "tokens", "cost", "listCost"];
    let head = std::iter::once("date").chain(dimensions).chain(sums).map(str::to_owned).collect();
    csv_rows(std::iter::once(head).chain(groups.iter().map(|group| row(question, group))))
}

fn row(question: &Question, group: &Group) -> Vec<String> {
    let totals = &group.totals;
    let date =
        group.bucket.map(|start| date_label(start, question.bucket, &question.zone)).unwrap_or_default();
    let keys = group.keys.iter().map(|key| spreadsheet_safe(key.as_deref().unwrap_or(NONE)));
    let sums = [
        totals.requests.to_string(),
        totals.errors.to_string(),
        totals.unpriced.to_string(),
        totals.input_tokens.to_string(),
        totals.output_tokens.to_string(),
        totals.tokens.to_string(),
        totals.cost.to_string(),
        totals.list_cost.to_string(),
    ];
    std::iter::once(date).chain(keys).chain(sums).collect()
}
