//! What somebody who mistyped a name probably meant.

/// The candidate that differs least from `given`, if it is close enough to be meant.
///
/// The part after the last dot counts alone too: `port` means `server.port`.
pub(super) fn find<'a>(given: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let differences = |candidate: &'a str| {
        let whole = distance(given, candidate);
        let last = 1 + distance(last_part(given), last_part(candidate));
        (whole.min(last), candidate)
    };
    let (least, candidate) = candidates.map(differences).min()?;
    // A third of the letters may be wrong.
    (least <= 1 + last_part(given).chars().count() / 3).then_some(candidate)
}

fn last_part(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// Levenshtein's distance: letters to insert, delete or replace.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (above_left, from) in a.chars().enumerate() {
        let mut diagonal = above_left;
        row[0] = above_left + 1;
        for (column, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_letters() {
        for (a, b, expected) in
            [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("prot", "port", 2), ("é", "e", 1)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn the_meant_key_is_found() {
        let keys = ["server.host", "server.port", "store.data_dir", "auth.jwt_secret"];
        for (given, meant) in [
            ("server.prot", Some("server.port")),
            ("servr.port", Some("server.port")),
            ("port", Some("server.port")),
            ("auth.jwtsecret", Some("auth.jwt_secret")),
            ("server.data_dir", Some("store.data_dir")),
            ("colour", None),
        ] {
            assert_eq!(find(given, keys.into_iter()), meant, "{given}");
        }
    }
}
