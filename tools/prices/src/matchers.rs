//! Match clauses of the source as aliases and matchers.

use anyhow::{Context as _, Result, bail};
use pricing::{Matcher, Pattern};

use crate::Log;
use crate::source::Clause;

/// Splits the alternatives of a model's clause into plain names and patterns.
pub(crate) fn names(clause: Clause, id: &str, log: &mut Log) -> Result<(Vec<String>, Vec<Matcher>)> {
    let (mut aliases, mut patterns) = (Vec::new(), Vec::new());
    let alternatives = if let Clause::Or(clauses) = clause { clauses } else { vec![clause] };
    for alternative in alternatives {
        match alternative {
            Clause::Equals(name) if name.eq_ignore_ascii_case(id) => {}
            Clause::Equals(name) => aliases.push(name.to_lowercase()),
            other => patterns.push(matcher(other, id, log)?),
        }
    }
    aliases.dedup();
    Ok((aliases, patterns))
}

/// Converts one clause. Names are compared in lower case.
pub(crate) fn matcher(clause: Clause, owner: &str, log: &mut Log) -> Result<Matcher> {
    let mut all = |clauses: Vec<Clause>| -> Result<Vec<Matcher>> {
        clauses.into_iter().map(|clause| matcher(clause, owner, log)).collect()
    };
    Ok(match clause {
        Clause::And(clauses) => Matcher::All(all(clauses)?),
        Clause::Or(clauses) => Matcher::Any(all(clauses)?),
        Clause::Equals(text) => Matcher::Equals(text.to_lowercase()),
        Clause::StartsWith(text) => Matcher::StartsWith(text.to_lowercase()),
        Clause::EndsWith(text) => Matcher::EndsWith(text.to_lowercase()),
        Clause::Contains(text) => Matcher::Contains(text.to_lowercase()),
        Clause::Regex(text) => regex(&text, owner, log)?,
    })
}

/// A look-ahead at the start (`^(?!X)Y`) becomes "not X and Y", for engines that have none.
fn regex(text: &str, owner: &str, log: &mut Log) -> Result<Matcher> {
    let Some(rest) = text.strip_prefix("^(?!") else {
        return Ok(Matcher::Regex(pattern(text)?));
    };
    let (unwanted, wanted) = split_group(rest).context("a look-ahead that does not end")?;
    let not = Matcher::Not(Box::new(Matcher::Regex(pattern(&format!("^(?:{unwanted})"))?)));
    log.add(format!("rewrote {owner}: {text} as not and and"));
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
        bail!("a look-around that is not at the start: {text}");
    }
    Pattern::try_from(text.to_owned()).with_context(|| text.to_owned())
}
