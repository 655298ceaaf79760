//! Fields of a form.

use crate::call::Call;

/// The parts of a `multipart/form-data` body: name, file name, content. What is not one has none.
pub(super) fn parts(call: &Call) -> Vec<(String, Option<String>, Vec<u8>)> {
    let boundary = call.header("content-type").and_then(|kind| kind.split_once("boundary="));
    let Some((_, boundary)) = boundary else { return Vec::new() };
    let delimiter = format!("--{}", boundary.split(';').next().unwrap_or_default().trim_matches('"'));
    split(&call.body, delimiter.as_bytes()).into_iter().filter_map(part).collect()
}

fn split<'a>(mut body: &'a [u8], delimiter: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while let Some(at) = find(body, delimiter) {
        pieces.push(body.get(..at).unwrap_or_default());
        body = body.get(at + delimiter.len()..).unwrap_or_default();
    }
    pieces
}

fn find(body: &[u8], wanted: &[u8]) -> Option<usize> {
    body.windows(wanted.len()).position(|window| window == wanted)
}

fn part(piece: &[u8]) -> Option<(String, Option<String>, Vec<u8>)> {
    let end = find(piece, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(piece.get(..end)?).into_owned();
    let content = piece.get(end + 4..)?;
    let value = |name: &str| {
        let (_, rest) = head.split_once(&format!("; {name}=\""))?;
        Some(rest.split('"').next()?.to_owned())
    };
    Some((value("name")?, value("filename"), content.strip_suffix(b"\r\n").unwrap_or(content).to_vec()))
}

/// A field that is text.
pub(super) fn text(call: &Call, name: &str) -> Option<String> {
    let part = parts(call).into_iter().find(|(given, file, _)| given == name && file.is_none())?;
    String::from_utf8(part.2).ok()
}
