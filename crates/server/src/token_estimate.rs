//! Tokens of a text that nobody counted.
//!
//! OpenAI publishes its encodings, so its models' tokens can be counted (special tokens and the few that frame each
//! message left out). For others a token is taken as four bytes, as the providers' own rules of thumb have it:
//! <https://help.openai.com/en/articles/4936856-what-are-tokens-and-how-to-count-them>.

use domain::ingest::NewUsage;
use pricing::{PriceBook, Unit, Usage};

/// Bytes of a text that are counted; the rest is taken to be as dense.
const COUNTED_BYTES_MAX: usize = 256 * 1024;
/// Bytes that are counted at once: what a tokenizer could do badly stays small.
const PIECE_BYTES: usize = 16 * 1024;
/// Bytes of a token where no tokenizer is known.
const BYTES_PER_TOKEN: u64 = 4;

/// Gives the call estimated counts, if nobody counted and there is text.
pub fn estimate(new: &mut NewUsage, book: &PriceBook) {
    if !is_uncounted(new) {
        return;
    }
    let provider = match &new.provider {
        Some(provider) => pricing::canonical_provider(provider).into_owned(),
        None => book.resolve_provider(&new.model).unwrap_or_default().to_owned(),
    };
    let count = |text: &Option<String>| text.as_deref().map(|text| tokens(&provider, &new.model, text));
    let counted = [
        (Unit::InputTokens, count(&new.content.prompt)),
        (Unit::OutputTokens, count(&new.content.completion)),
    ];
    // A call that ended before it was answered has no output: that is known, not unknown.
    let counted = counted.into_iter().map(|(unit, count)| (unit, count.unwrap_or(0)));
    new.usage = counted.collect::<Usage>();
    new.tokens_estimated = true;
}

/// Whether a call has text and no counts.
pub fn is_uncounted(new: &NewUsage) -> bool {
    new.usage.is_empty() && (new.content.prompt.is_some() || new.content.completion.is_some())
}

/// Tokens of `text`, about.
pub fn tokens(provider: &str, model: &str, text: &str) -> u64 {
    let counted = domain::text::cut(text, COUNTED_BYTES_MAX);
    let mut rest = counted;
    let mut count = 0;
    while !rest.is_empty() {
        let piece = domain::text::cut(rest, PIECE_BYTES);
        count += tokens_of_piece(provider, model, piece);
        rest = rest.get(piece.len()..).unwrap_or_default();
    }
    extrapolate(count, counted.len(), text.len())
}

/// The same density over the whole length, rounded up.
fn extrapolate(count: u64, counted_bytes: usize, bytes: usize) -> u64 {
    if counted_bytes == bytes {
        return count;
    }
    let scaled = u128::from(count) * bytes as u128;
    u64::try_from(scaled.div_ceil(counted_bytes.max(1) as u128)).unwrap_or(u64::MAX)
}

#[cfg(feature = "tokenizer")]
fn tokens_of_piece(provider: &str, model: &str, piece: &str) -> u64 {
    if matches!(provider, "openai" | "azure") { encoding(model).count(piece) as u64 } else { by_bytes(piece) }
}

#[cfg(not(feature = "tokenizer"))]
fn tokens_of_piece(_provider: &str, _model: &str, piece: &str) -> u64 {
    by_bytes(piece)
}

fn by_bytes(piece: &str) -> u64 {
    (piece.len() as u64).div_ceil(BYTES_PER_TOKEN)
}

/// GPT-4 and GPT-3.5 have `cl100k_base`; GPT-4o and everything after it have `o200k_base`.
/// <https://github.com/openai/tiktoken/blob/main/tiktoken/model.py>
#[cfg(feature = "tokenizer")]
fn encoding(model: &str) -> &'static bpe_openai::Tokenizer {
    let newer = ["gpt-4o", "gpt-4.1", "gpt-4.5", "chatgpt-4o"].iter().any(|start| model.starts_with(start));
    let older = ["gpt-4", "gpt-3.5", "gpt-35", "text-embedding"].iter().any(|start| model.starts_with(start));
    if older && !newer { bpe_openai::cl100k_base() } else { bpe_openai::o200k_base() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "tokenizer")]
    #[test]
    fn openais_models_are_counted_with_their_encodings() {
        // The examples of https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken.
        for (model, text, count) in [
            ("gpt-3.5-turbo", "tiktoken is great!", 6),
            ("gpt-4", "antidisestablishmentarianism", 6),
            ("gpt-4", "2 + 2 = 4", 7),
            ("gpt-4", "お誕生日おめでとう", 9),
            ("gpt-4o", "antidisestablishmentarianism", 6),
            ("gpt-4o", "2 + 2 = 4", 7),
            ("gpt-4o-mini", "お誕生日おめでとう", 8),
        ] {
            assert_eq!(tokens("openai", model, text), count, "{model} {text}");
        }
    }

    #[test]
    fn others_are_four_bytes_a_token() {
        assert_eq!(tokens("anthropic", "claude-sonnet-4-5", "12345678"), 2);
        assert_eq!(tokens("anthropic", "claude-sonnet-4-5", "123456789"), 3);
        assert_eq!(tokens("anthropic", "claude-sonnet-4-5", ""), 0);
    }

    #[test]
    fn hostile_texts_are_bounded() {
        for text in [
            " ".repeat(1_000_000),
            "\u{1d54f}".repeat(250_000),
            "a".repeat(1_000_000),
            "\n\t ".repeat(330_000),
        ] {
            let count = tokens("openai", "gpt-4o", &text);
            assert!(count > 0 && count <= text.len() as u64, "{count}");
        }
        assert_eq!(tokens("mistral", "m", &"x".repeat(1_000_000)), 250_000);
    }
}
