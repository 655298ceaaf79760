//! `application/vnd.amazon.eventstream`, by its public description.
//!
//! A message is: its length and that of its headers (four bytes each, big-endian), the CRC32 of these eight bytes, the
//! headers, the payload, the CRC32 of all that. <https://smithy.io/2.0/aws/amazon-eventstream.html>

use bytes::{BufMut as _, Bytes, BytesMut};

/// Lengths and checksum at the start, checksum at the end.
const PRELUDE_BYTES: usize = 12;
const FRAME_BYTES: usize = PRELUDE_BYTES + 4;
/// A header's value that is text.
const TEXT: u8 = 7;

/// A message with text headers.
pub fn encode(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let mut heads = BytesMut::new();
    for (name, value) in headers {
        heads.put_u8(u8::try_from(name.len()).unwrap());
        heads.put_slice(name.as_bytes());
        heads.put_u8(TEXT);
        heads.put_u16(u16::try_from(value.len()).unwrap());
        heads.put_slice(value.as_bytes());
    }
    let mut message = BytesMut::with_capacity(FRAME_BYTES + heads.len() + payload.len());
    message.put_u32(u32::try_from(FRAME_BYTES + heads.len() + payload.len()).unwrap());
    message.put_u32(u32::try_from(heads.len()).unwrap());
    message.put_u32(crc32fast::hash(&message));
    message.put_slice(&heads);
    message.put_slice(payload);
    message.put_u32(crc32fast::hash(&message));
    message.freeze()
}

/// A message, read: its headers and its payload.
pub type Message = (Vec<(String, String)>, Vec<u8>);

/// The messages of a whole stream. `None` if a length or a checksum is wrong, or a header is no text.
pub fn decode(mut stream: &[u8]) -> Option<Vec<Message>> {
    let mut messages = Vec::new();
    while !stream.is_empty() {
        let length = usize::try_from(number(stream, 0)?).ok()?;
        let heads = usize::try_from(number(stream, 4)?).ok()?;
        let message = stream.get(..length)?;
        let end = length.checked_sub(4)?;
        if number(message, 8)? != crc32fast::hash(message.get(..8)?)
            || number(message, end)? != crc32fast::hash(message.get(..end)?)
        {
            return None;
        }
        let headers = decode_headers(message.get(PRELUDE_BYTES..PRELUDE_BYTES + heads)?)?;
        messages.push((headers, message.get(PRELUDE_BYTES + heads..end)?.to_vec()));
        stream = stream.get(length..)?;
    }
    Some(messages)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn decode_headers(mut bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let mut headers = Vec::new();
    while let [length, rest @ ..] = bytes {
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        let [TEXT, high, low, rest @ ..] = rest else { return None };
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        headers.push((text(name)?, text(value)?));
        bytes = rest;
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::call::hex;

    /// Vectors that the SDKs of Amazon share: `empty_message`, `payload_no_headers`, `payload_one_str_header`.
    #[test]
    fn published_vectors() {
        for (headers, payload, expected) in [
            (&[][..], "", "000000100000000005c248eb7d98c8ff"),
            (&[][..], "{'foo':'bar'}", "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936"),
            (
                &[("content-type", "application/json")][..],
                "{'foo':'bar'}",
                "0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b27666f6f273a27626172277d8d9c08b1",
            ),
        ] {
            let message = encode(headers, payload.as_bytes());
            assert_eq!(hex(&message), expected);
            let read = decode(&message).unwrap();
            assert_eq!(read.len(), 1);
            assert_eq!(read[0].1, payload.as_bytes());
            assert_eq!(read[0].0.len(), headers.len());
        }
    }

    #[test]
    fn corrupted_messages_are_not_read() {
        let message = encode(&[("a", "b")], b"payload");
        for at in 0..message.len() {
            let mut broken = message.to_vec();
            broken[at] ^= 1;
            assert_eq!(decode(&broken), None, "byte {at}");
        }
        assert_eq!(decode(&message[..message.len() - 1]), None);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            headers in prop::collection::vec(("[a-z:-]{1,20}", ".{0,50}"), 0..5),
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..4),
        ) {
            let texts: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let stream: Vec<u8> = payloads.iter().flat_map(|payload| encode(&texts, payload)).collect();
            let expected: Vec<Message> = payloads.iter().map(|payload| (headers.clone(), payload.clone())).collect();
            prop_assert_eq!(decode(&stream), Some(expected));
        }
    }
}
