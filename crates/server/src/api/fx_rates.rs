//! Exchange rates: what other currencies are worth, as the operator says.

use axum::extract::State;
use domain::{
    Invalid,
    fx::{FxRate, FxRates, USD},
    user::Role,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{Admin, Auth, Read},
    budgets,
    error::{Failure, Result},
    input::Json,
    reply::Success,
};

/// Every exchange rate.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FxRates)]
pub struct FxRateList {
    /// The rates, by currency and then by day.
    pub rates: Vec<FxRate>,
}

/// Exchange rates, as the operator set them. None is built in, and none is fetched.
#[utoipa::path(get, path = "/fx-rates", tag = "Budgets", operation_id = "list_fx_rates",
    responses((status = 200, body = Success<FxRateList>), (status = 401, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn list_fx_rates(State(app): State<App>, _auth: Auth<Read>) -> Result<Success<FxRateList>> {
    Ok(Success::ok(FxRateList { rates: app.meta.list_fx_rates().await? }))
}

/// Replace every exchange rate. A currency that a budget is in keeps at least one.
#[utoipa::path(put, path = "/fx-rates", tag = "Budgets", operation_id = "replace_fx_rates",
    request_body = FxRateList,
    responses((status = 200, body = Success<FxRateList>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn replace_fx_rates(
    State(app): State<App>,
    auth: Auth<Admin>,
    Json(list): Json<FxRateList>,
) -> Result<Success<FxRateList>> {
    auth.caller.require_role(Role::Admin)?;
    let rates = FxRates::new(list.rates)?;
    check_in_use(&app, &rates).await?;
    auth.caller.trail.before(&app.meta.list_fx_rates().await?);
    app.meta.replace_fx_rates(rates.rows()).await?;
    let list = FxRateList { rates: rates.rows().to_vec() };
    auth.caller.trail.after(&list.rates);
    app.watch.mark_everything(app.clock.now());
    tracing::info!(user = %auth.caller.user.id, rates = list.rates.len(), "exchange rates replaced");
    Ok(Success::ok(list))
}

/// `Err` if `rates` leave the currency of a budget without one.
async fn check_in_use(app: &App, rates: &FxRates) -> Result<()> {
    let of_projects = budgets::of_projects(app).await?.into_iter().map(|(_, budget)| budget);
    let others = app.meta.list_budgets().await?;
    for budget in of_projects.chain(others) {
        let currency = &budget.terms.currency;
        if currency != USD && !rates.rows().iter().any(|rate| rate.currency == *currency) {
            let message = format!("{} is in {currency}; keep a rate of it", budget.describe());
            return Err(Invalid::field("rates", message).into());
        }
    }
    Ok(())
}
