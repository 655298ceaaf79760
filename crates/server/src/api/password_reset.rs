//! Choosing a new password when the old one is forgotten.

use axum::extract::State;
use domain::{
    Secret, text,
    tracker_key::hash_token,
    user::{self, User},
};
use jiff::ToSpan as _;
use serde::Deserialize;
use store::PasswordReset;
use utoipa::ToSchema;

use crate::{
    api::session::too_many_attempts,
    app::App,
    audit::Trail,
    auth::{ClientAddress, token},
    config::PublicUrl,
    error::{ApiError, ErrorCode, Failure, Result},
    input::Json,
    limits,
    notify::{Outcome, mail::Letter, message::Message},
    reply::{Nothing, Success},
};

/// A person who has forgotten their password.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ForgottenPassword {
    /// E-mail address of the account.
    email: String,
}

/// A new password, by the token of an e-mail.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewPassword {
    /// The token.
    #[schema(value_type = String)]
    token: Secret,
    /// At least 8 characters.
    #[schema(value_type = String, format = Password, min_length = 8)]
    new_password: Secret,
}

/// Send an e-mail by which a forgotten password can be replaced within half an hour.
///
/// The answer is the same whether there is such an account or not. Three an hour for an address.
#[utoipa::path(post, path = "/auth/forgot-password", tag = "Authentication", operation_id = "forgot_password",
    request_body = ForgottenPassword,
    responses((status = 202, body = Success<Nothing>), (status = 409, body = Failure), (status = 422, body = Failure), (status = 429, body = Failure)),
    security(()))]
pub async fn forgot_password(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    Json(forgotten): Json<ForgottenPassword>,
) -> Result<Success<Nothing>> {
    let email = text::email("email", &forgotten.email)?;
    if app.notifier.mailer.is_none() {
        let message = "no mail server is configured ([smtp]): ask an administrator to set a new password";
        return Err(ApiError::new(ErrorCode::MailNotConfigured, message));
    }
    app.throttle.check_reset(&email, address).map_err(too_many_attempts)?;
    // Off the path of the request: how long the answer takes tells nothing either.
    let worker = app.clone();
    app.spawn("password_reset", async move {
        if let Err(error) = send(&worker, &email).await {
            tracing::warn!(%error, "an e-mail for a new password was not sent");
        }
    });
    let message = "if there is an account with this address, an e-mail is on its way";
    Ok(Success::accepted(Nothing {}).with_message(message))
}

/// Replace a forgotten password by the token of an e-mail. Every log-in of the account ends.
#[utoipa::path(post, path = "/auth/reset-password", tag = "Authentication", operation_id = "reset_password",
    request_body = NewPassword,
    responses((status = 200, body = Success<Nothing>), (status = 422, body = Failure), (status = 429, body = Failure)),
    security(()))]
pub async fn reset_password(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    trail: Trail,
    Json(new): Json<NewPassword>,
) -> Result<Success<Nothing>> {
    user::check_password("newPassword", &new.new_password)?;
    app.throttle.check_address(address).map_err(too_many_attempts)?;
    let (token, now) = (hash_token(new.token.expose()), app.clock.now());
    let works = app.meta.find_password_reset(&token, now).await?.is_some();
    if !works {
        return Err(invalid_reset_token());
    }
    let hash = app.passwords.hash(new.new_password).await?;
    let user = app.meta.reset_password(&token, &hash, now).await?.ok_or_else(invalid_reset_token)?;
    if let Some(user) = app.meta.find_user(user).await? {
        trail.actor(&user, None);
    }
    tracing::info!(%user, "password replaced by e-mail");
    Ok(Success::ok(Nothing {}).with_message("password changed; log in again"))
}

async fn send(app: &App, email: &str) -> Result<()> {
    let Some(mailer) = &app.notifier.mailer else { return Ok(()) };
    let Some(found) = app.meta.find_user_by_email(email).await? else { return Ok(()) };
    let (user, now) = (found.user, app.clock.now());
    let token = token::new_refresh_token(&mut rand::rng());
    let expires_at = now.checked_add(limits::RESET_MINUTES.minutes()).map_err(ApiError::internal)?;
    let reset = PasswordReset { token_hash: hash_token(token.expose()), user_id: user.id, expires_at };
    app.meta.insert_password_reset(&reset).await?;
    let id = app.ids.next::<()>(now).to_string();
    let link = app.config.server.public_url.as_ref().map(|url| link(url, &token));
    let message = message(&user, link.is_none().then_some(&token));
    let letter = Letter { to: &user.email, id: &id, at: now, message: &message, link: link.as_deref() };
    // Not by way of the outbox, which would keep the token.
    match mailer.send(&letter).await.outcome {
        Outcome::Delivered => Ok(()),
        Outcome::Retry(why) | Outcome::GiveUp(why) | Outcome::Gone(why) => {
            tracing::warn!(user = %user.id, why, "the mail server did not take an e-mail for a new password");
            Ok(())
        }
    }
}

/// Behind `#`, a token is not sent to any server and is in no log.
fn link(url: &PublicUrl, token: &Secret) -> String {
    format!("{}/reset-password#token={}", url.as_str().trim_end_matches('/'), token.expose())
}

fn message(user: &User, code: Option<&Secret>) -> Message {
    let mut lines = vec![
        format!("Somebody, perhaps you, asked for a new password for {}.", user.email),
        format!("It can be chosen within {} minutes, once.", limits::RESET_MINUTES),
        "If it was not you, nothing has to be done: the password stays as it is.".to_owned(),
    ];
    lines.extend(code.map(|code| format!("Code: {}", code.expose())));
    Message { title: "Choose a new password".to_owned(), lines }
}

fn invalid_reset_token() -> ApiError {
    let message = "the link was used, has expired or was replaced by a later one; ask for another e-mail";
    ApiError::new(ErrorCode::InvalidResetToken, message)
}
