//! Checks of short texts that people and programs send.

use crate::{Invalid, limits};

/// A dimension value (model, team, tag, …): trimmed, not empty, bounded, without control characters.
pub fn dimension_value(field: &str, text: &str) -> Result<String, Invalid> {
    line(field, text, limits::DIMENSION_BYTES_MAX)
}

/// A request, session or trace id.
pub fn reference(field: &str, text: &str) -> Result<String, Invalid> {
    line(field, text, limits::REFERENCE_BYTES_MAX)
}

/// A name of a person, project or key.
pub fn name(field: &str, text: &str) -> Result<String, Invalid> {
    line(field, text, limits::NAME_CHARS_MAX * 4)
        .and_then(|text| at_most_chars(field, text, limits::NAME_CHARS_MAX))
}

/// A text of several lines; may be empty.
pub fn description(field: &str, text: &str) -> Result<String, Invalid> {
    if text.contains('\0') {
        return Err(Invalid::field(field, "must not contain NUL"));
    }
    at_most_chars(field, text.trim().to_owned(), limits::DESCRIPTION_CHARS_MAX)
}

/// An e-mail address, lower-cased. Only its shape is checked: whether it exists, only a message can tell.
pub fn email(field: &str, text: &str) -> Result<String, Invalid> {
    let address = line(field, text, limits::EMAIL_BYTES_MAX)?.to_lowercase();
    let well_formed = address.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty() && !host.contains('@') && host.split('.').all(|label| !label.is_empty())
    });
    if well_formed && !address.contains(char::is_whitespace) {
        Ok(address)
    } else {
        Err(Invalid::field(field, "must be an e-mail address, such as name@example.com"))
    }
}

/// At most `bytes_max` bytes of `text`, cut between characters.
pub fn cut(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

fn line(field: &str, text: &str, bytes_max: usize) -> Result<String, Invalid> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Invalid::field(field, "must not be empty"));
    }
    if text.len() > bytes_max {
        return Err(Invalid::field(
            field,
            format!("must have at most {bytes_max} bytes; this has {}", text.len()),
        ));
    }
    if text.contains(char::is_control) {
        return Err(Invalid::field(field, "must not contain control characters"));
    }
    Ok(text.to_owned())
}

fn at_most_chars(field: &str, text: String, chars_max: usize) -> Result<String, Invalid> {
    if text.chars().count() > chars_max {
        return Err(Invalid::field(field, format!("must have at most {chars_max} characters")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimension_values_are_trimmed_bounded_lines() {
        assert_eq!(dimension_value("team", " ai-team ").unwrap(), "ai-team");
        for wrong in ["", "  ", "a\0b", "a\nb", &"x".repeat(257)] {
            assert_eq!(dimension_value("team", wrong).unwrap_err().0[0].field, "team");
        }
    }

    #[test]
    fn email_addresses_have_one_at_and_a_host() {
        assert_eq!(email("email", "Ada@Example.com").unwrap(), "ada@example.com");
        assert_eq!(email("email", "root@localhost").unwrap(), "root@localhost");
        for wrong in ["ada", "@example.com", "ada@", "a@b@c", "a b@c.d", "a@b..c", "a@.c"] {
            assert!(email("email", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut("aéb", 2), "a");
        assert_eq!(cut("aéb", 3), "aé");
        assert_eq!(cut("aéb", 99), "aéb");
    }
}
