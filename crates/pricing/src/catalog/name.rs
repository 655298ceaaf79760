//! Model names: dates in them, paths around them, Bedrock geographies in front of them.

use jiff::civil::Date;

/// A name that carries the date of a snapshot.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dated {
    pub(super) date: Date,
    /// The name without the date.
    pub(super) family: String,
    /// The name with the date as `-2024-07-18`.
    pub(super) dashed: String,
    /// The name with the date as `-20240718`.
    pub(super) compact: String,
}

/// Finds a date (`-20240718`, `-2024-07-18`, `@20240718`) that ends a part of `name`.
pub(super) fn split_date(name: &str) -> Option<Dated> {
    name.match_indices(['-', '@']).find_map(|(position, _)| {
        let before = name.get(..position)?;
        let (date, after) = leading_date(name.get(position + 1..)?)?;
        Some(Dated {
            date,
            family: format!("{before}{after}"),
            dashed: format!("{before}-{date}{after}"),
            compact: format!("{before}-{}{after}", date.strftime("%Y%m%d")),
        })
    })
}

fn leading_date(text: &str) -> Option<(Date, &str)> {
    if !text.starts_with("20") {
        return None;
    }
    [("%Y-%m-%d", 10), ("%Y%m%d", 8)].into_iter().find_map(|(format, length)| {
        let (head, after) = text.split_at_checked(length)?;
        let ends = after.is_empty() || after.starts_with(['-', ':', '@']);
        let date = ends.then(|| Date::strptime(format, head).ok()).flatten()?;
        Some((date, after))
    })
}

/// The model in a resource name of Google or Bedrock: its last segment.
///
/// `models/gemini-2.5-pro`, `projects/p/locations/l/publishers/google/models/gemini-2.5-pro`,
/// `arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0`.
pub(super) fn without_path(name: &str) -> Option<&str> {
    let is_path = ["models/", "publishers/", "projects/"].iter().any(|start| name.starts_with(start));
    if is_path || is_arn(name) { name.rsplit_once('/').map(|(_, model)| model) } else { None }
}

/// Whether `name` is an Amazon resource name.
pub(super) fn is_arn(name: &str) -> bool {
    name.starts_with("arn:")
}

/// Geographies that serve Bedrock models across regions.
const GEOGRAPHIES: [&str; 10] = ["global", "us", "eu", "apac", "jp", "au", "in", "ca", "sa", "us-gov"];

/// Makers whose names start a Bedrock model id.
const BEDROCK_MAKERS: [&str; 13] = [
    "amazon",
    "anthropic",
    "meta",
    "mistral",
    "cohere",
    "ai21",
    "deepseek",
    "stability",
    "writer",
    "qwen",
    "nvidia",
    "openai",
    "google",
];

/// Splits `us.anthropic.claude…` into the geography and the rest.
pub(super) fn split_geography(name: &str) -> Option<(&str, &str)> {
    name.split_once('.').filter(|(first, rest)| GEOGRAPHIES.contains(first) && rest.contains('.'))
}

/// Whether `name` has the form of a Bedrock model id: `anthropic.claude…`, `eu.amazon.nova…`, an ARN.
pub(super) fn is_bedrock(name: &str) -> bool {
    let model = split_geography(name).map_or(name, |(_, rest)| rest);
    let maker = model.split_once('.').map(|(maker, _)| maker);
    is_arn(name) && name.contains(":bedrock:") || maker.is_some_and(|maker| BEDROCK_MAKERS.contains(&maker))
}
