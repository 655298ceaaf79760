//! Trying out e-mail.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{Admin, Auth},
    error::{ApiError, ErrorCode, Failure, Result},
    notify::{Outcome, mail::Letter, message::Message},
    reply::Success,
};

/// What became of a test e-mail.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EmailTest {
    /// To whom it went.
    to: String,
    /// Whether the mail server took it.
    is_taken: bool,
    /// Status of its answer, if there was one.
    status: Option<u16>,
    /// What it said.
    response: Option<String>,
    /// Why it was not taken, if it was not.
    failure: Option<String>,
}

/// Send a test e-mail to oneself, at once, and say what the mail server answered.
#[utoipa::path(post, path = "/notifications/email/test", tag = "Notifications", operation_id = "test_email",
    responses((status = 200, body = Success<EmailTest>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 409, body = Failure), (status = 429, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn test_email(State(app): State<App>, auth: Auth<Admin>) -> Result<Success<EmailTest>> {
    let not_configured =
        || ApiError::new(ErrorCode::MailNotConfigured, "no mail server is configured: see [smtp]");
    let mailer = app.notifier.mailer.as_ref().ok_or_else(not_configured)?;
    let user = &auth.caller.user;
    // Counted by itself: who tries the mail server out must not lock themselves out of logging in.
    app.throttle.check(&format!("test e-mail to {}", user.email), None).map_err(|seconds| {
        ApiError::new(ErrorCode::RateLimited, "too many test e-mails; wait").retry_after(seconds)
    })?;
    let now = app.clock.now();
    let message = Message {
        title: "A test of AI Cost Tracker".to_owned(),
        lines: vec!["E-mail works: alerts of budgets will reach you.".to_owned()],
    };
    let id = app.ids.next::<()>(now).to_string();
    let link = app.config.server.public_url.as_ref().map(crate::config::PublicUrl::as_str);
    let letter = Letter { to: &user.email, id: &id, at: now, message: &message, link };
    let answer = mailer.send(&letter).await;
    let failure = match answer.outcome {
        Outcome::Delivered => None,
        Outcome::Retry(why) | Outcome::GiveUp(why) | Outcome::Gone(why) => Some(why),
    };
    Ok(Success::ok(EmailTest {
        to: user.email.clone(),
        is_taken: failure.is_none(),
        status: answer.status,
        response: answer.excerpt,
        failure,
    }))
}
