//! What the headers of a reply say.

use pricing::{Unit, Usage};

use super::{Metered, count, gather::reference};

/// Meters the headers of a Bedrock reply: for models whose body has no counts, and for the id, which no body has.
/// Combine with the body by [`Metered::or`].
///
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html>: the counts of input and
/// output are in `x-amzn-bedrock-input-token-count` and `-output-token-count`, those of the cache in
/// `-cache-read-input-token-count` and `-cache-write-input-token-count`, outside of the input.
pub fn meter_headers<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Metered> {
    let [mut input, mut output, mut read, mut written] = [None; 4];
    let mut metered = Metered::default();
    for (name, value) in headers {
        let counted = || value.trim().parse::<u64>().ok().filter(|count| *count <= crate::limits::COUNT_MAX);
        match name.to_ascii_lowercase().as_str() {
            "x-amzn-bedrock-input-token-count" => input = counted(),
            "x-amzn-bedrock-output-token-count" => output = counted(),
            "x-amzn-bedrock-cache-read-input-token-count" => read = counted(),
            "x-amzn-bedrock-cache-write-input-token-count" => written = counted(),
            "x-amzn-bedrock-service-tier" => metered.service_tier = reference(value),
            "x-amzn-requestid" => metered.response_id = reference(value),
            _ => {}
        }
    }
    metered.usage = usage(input, output, read, written);
    Some(metered).filter(Metered::says_something)
}

fn usage(input: Option<u64>, output: Option<u64>, read: Option<u64>, written: Option<u64>) -> Usage {
    count::usage_of([
        (Unit::InputTokens, count::sum_with(input, &[read, written])),
        (Unit::OutputTokens, output),
        (Unit::CacheReadTokens, read),
        (Unit::CacheWriteTokens, written),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_tell_what_the_body_does_not() {
        let metered = meter_headers([
            ("Content-Type", "application/json"),
            ("X-Amzn-RequestId", "3f5a1c9e-0b1d-4b5e-9d4e-0f1a2b3c4d5e"),
            ("X-Amzn-Bedrock-Input-Token-Count", "10"),
            ("X-Amzn-Bedrock-Output-Token-Count", "200"),
            ("X-Amzn-Bedrock-Cache-Read-Input-Token-Count", "5000"),
            ("X-Amzn-Bedrock-Cache-Write-Input-Token-Count", "x"),
        ])
        .unwrap();
        let expected = usage(Some(10), Some(200), Some(5000), None);
        assert_eq!(expected.get(Unit::InputTokens), Some(5010));
        assert_eq!(metered.usage, expected);
        let body = Metered { response_id: Some("msg_1".to_owned()), ..Metered::default() };
        let both = body.or(metered);
        assert_eq!((both.usage, both.response_id.as_deref()), (expected, Some("msg_1")));
    }

    #[test]
    fn other_headers_tell_nothing() {
        assert_eq!(meter_headers([("content-type", "application/json")]), None);
    }
}
