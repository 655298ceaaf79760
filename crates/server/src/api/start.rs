//! The start page: what a browser sees at `/`.
//!
//! It is plain files, embedded in the binary. Its content security policy lets it load and call nothing but this server.

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    error::{Failure, Result},
    reply::Success,
};

const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'",
);

/// What a visitor can do who has not logged in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Setup {
    /// Nobody has registered yet: the next person who does becomes the owner.
    needs_owner: bool,
    /// Whether anybody may register; otherwise an invitation is needed.
    signup_open: bool,
}

/// What a visitor can do who has not logged in.
#[utoipa::path(
    get,
    path = "/setup",
    tag = "Authentication",
    operation_id = "get_setup",
    responses((status = 200, body = Success<Setup>), (status = 503, body = Failure)),
    security(())
)]
pub async fn get_setup(State(app): State<App>) -> Result<Success<Setup>> {
    let needs_owner = !app.meta.has_accounts().await?;
    Ok(Success::ok(Setup { needs_owner, signup_open: needs_owner || app.config.auth.allow_signup }))
}

/// The page.
pub async fn get_start_page() -> Response {
    file("text/html; charset=utf-8", include_str!("../start/index.html"))
}

/// Its script.
pub async fn get_start_script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("../start/start.js"))
}

/// Its style sheet.
pub async fn get_start_style() -> Response {
    file("text/css; charset=utf-8", include_str!("../start/start.css"))
}

fn file(media_type: &'static str, content: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    ];
    (headers, content).into_response()
}

#[cfg(test)]
mod tests {
    const PAGE: &str = include_str!("../start/index.html");
    const SCRIPT: &str = include_str!("../start/start.js");

    #[test]
    fn the_page_has_nothing_that_its_policy_forbids() {
        for forbidden in ["<style", " style=", " onclick=", " onsubmit=", "http://", "https://"] {
            assert!(!PAGE.contains(forbidden), "{forbidden}");
        }
        assert_eq!(PAGE.matches("<script").count(), 1);
    }

    #[test]
    fn data_cannot_become_markup() {
        for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!SCRIPT.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn every_element_that_the_script_names_exists() {
        let named = SCRIPT.split("byId(\"").skip(1).filter_map(|rest| rest.split('"').next());
        let lost: Vec<&str> = named.filter(|id| !PAGE.contains(&format!("id=\"{id}\""))).collect();
        assert!(lost.is_empty(), "{lost:?}");
    }
}
