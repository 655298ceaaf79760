//! Match clauses of the source as aliases and matchers.

use super::source::Clause;
use super::{NotUnderstood, NoteKind, Notes, Result};
use crate::{Matcher, Pattern};

/// Splits the alternatives of a model's clause into plain names and patterns.
pub(super) fn names(clause: Clause, id: &str, notes: &mut Notes) -> Result<(Vec<String>, Vec<Matcher>)> {
    let (mut aliases, mut patterns) = (Vec::new(), Vec::new());
    let alternatives = if let Clause::Or(clauses) = clause { clauses } else { vec![clause] };
    for alternative in alternatives {
        match alternative {
            Clause::Equals(name) if name.eq_ignore_ascii_case(id) => {}
            Clause::Equals(name) => aliases.push(name.to_lowercase()),
            other => patterns.push(matcher(other, id, notes)?),
        }
    }
    aliases.dedup();
    Ok((aliases, patterns))
}

/// Converts one clause. Names are compared in lower case.
pub(super) fn matcher(clause: Clause, owner: &str, notes: &mut Notes) -> Result<Matcher> {
    let mut all = |clauses: Vec<Clause>| -> Result<Vec<Matcher>> {
        clauses.into_iter().map(|clause| matcher(clause, owner, notes)).collect()
    };
    Ok(match clause {
        Clause::And(clauses) => Matcher::All(all(clauses)?),
        Clause::Or(clauses) => Matcher::Any(all(clauses)?),
        Clause::Equals(text) => Matcher::Equals(text.to_lowercase()),
        Clause::StartsWith(text) => Matcher::StartsWith(text.to_lowercase()),
        Clause::EndsWith(text) => Matcher::EndsWith(text.to_lowercase()),
        Clause::Contains(text) => Matcher::Contains(text.to_lowercase()),
        Clause::Regex(text) => regex(&text, owner, notes)?,
    })
}

/// A look-ahead at the start (`^(?!X)Y`) becomes "not X and Y", for engines that have none.
fn regex(text: &str, owner: &str, notes: &mut Notes) -> Result<Matcher> {
    let Some(rest) = text.strip_prefix("^(?!") else {
        return Ok(Matcher::Regex(pattern(text)?));
    };
    let (unwanted, wanted) = split_group(rest)
        .ok_or_else(|| NotUnderstood::new(format!("a look-ahead that does not end: {text}")))?;
    let not = Matcher::Not(Box::new(Matcher::Regex(pattern(&format!("^(?:{unwanted})"))?)));
    notes.add(NoteKind::Rewritten, format!("{text} as not and and"), owner);
    Ok(if wanted.is_empty() {
        not
    } else {
        Matcher::All(vec![not, Matcher::Regex(pattern(&format!("^{wanted}"))?)])
    })
}

/// Splits at the parenthesis that closes the group in which `text` starts.
fn split_group(text: &str) -> Option<(&str, &str)> {
    let mut depth = 1;
    let end = text.char_indices().find(|&(_, c)| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    });
    let (end, _) = end?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

fn pattern(text: &str) -> Result<Pattern> {
    if text.contains("(?!") || text.contains("(?=") || text.contains("(?<") {
        return Err(NotUnderstood::new(format!("a look-around that is not at the start: {text}")));
    }
    Ok(Pattern::try_from(text.to_owned())?)
}
