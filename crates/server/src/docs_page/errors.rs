//! The table of error codes.

use super::html::Html;
use crate::error::ErrorCode;

/// The section of every error code, by status.
pub(super) fn section() -> Html {
    let mut codes = ErrorCode::ALL.to_vec();
    codes.sort_by_key(|code| code.status().as_u16());
    let mut statuses: Vec<u16> = codes.iter().map(|code| code.status().as_u16()).collect();
    statuses.dedup();
    Html::new()
        .raw("<section id=\"errors\"><h2><a class=\"anchor\" href=\"#errors\">Error codes</a></h2>")
        .raw("<p>Decide by <code>error.code</code>: it is stable. The message is for people and may change.</p>")
        .raw("<table><thead><tr><th scope=\"col\">Status</th><th scope=\"col\">Code</th><th scope=\"col\">Meaning</th></tr></thead>")
        .each(statuses, |status| {
            let of_status = codes.iter().filter(move |code| code.status().as_u16() == status);
            Html::new().raw("<tbody id=\"status-").text(&status.to_string()).raw("\">").each(of_status, |code| row(*code)).raw("</tbody>")
        })
        .raw("</table></section>")
}

fn row(code: ErrorCode) -> Html {
    Html::new()
        .raw("<tr id=\"error-")
        .text(code.as_str())
        .raw("\"><td>")
        .text(code.status().as_str())
        .raw("</td><th scope=\"row\">")
        .code(code.as_str())
        .raw("</th><td>")
        .phrase(code.meaning())
        .raw("</td></tr>")
}
