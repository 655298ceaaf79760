//! What happened, so that costs can be looked at against it: a deploy, a launch, an outage.

use jiff::Timestamp;

use crate::{AnnotationId, Invalid, ProjectId, UserId, allocation::Tags, limits, text};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// Id.
    pub id: AnnotationId,
    /// The project it is about; `None` for the whole installation.
    pub project_id: Option<ProjectId>,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub title: String,
    /// Words to find it by.
    pub tags: Tags,
    /// Where there is more about it.
    pub link: Option<String>,
    /// Who said so.
    pub created_by: UserId,
    /// When they said so.
    pub created_at: Timestamp,
}

/// Checks what happened: short, not empty, on one line.
pub fn check_title(field: &str, title: &str) -> Result<String, Invalid> {
    text::name(field, title)
}

/// Checks a link: browsers follow it, so that it must be an address of the web.
pub fn check_link(field: &str, link: &str) -> Result<String, Invalid> {
    let link = link.trim();
    if link.len() > limits::LINK_BYTES_MAX {
        return Err(Invalid::field(field, format!("must have at most {} bytes", limits::LINK_BYTES_MAX)));
    }
    let rest = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"));
    let is_host = |rest: &str| rest.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[');
    let is_clean = !link.contains(|c: char| c.is_whitespace() || c.is_control());
    if rest.is_some_and(is_host) && is_clean {
        Ok(link.to_owned())
    } else {
        Err(Invalid::field(field, "must be an address: https://…"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_web_and_nowhere_else() {
        let ok = " https://ci.example.com/runs/7?x=1#log ";
        assert_eq!(check_link("link", ok).unwrap(), ok.trim());
        for wrong in ["", "javascript:alert(1)", "https://", "/relative", "https://a b", "data:text/html,x"] {
            assert_eq!(check_link("link", wrong).unwrap_err().0[0].field, "link", "{wrong}");
        }
        let long = format!("https://example.com/{}", "x".repeat(limits::LINK_BYTES_MAX));
        assert!(check_link("link", &long).is_err());
    }
}
