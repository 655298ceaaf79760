//! Which configuration file is read.

use std::path::{Path, PathBuf};

use super::{Source, Sources};

/// Read from the working directory when no other file is named.
const IMPLICIT: &str = "ai-cost-tracker.toml";

/// The file to read, and who named it. Only the implicit one may be absent.
pub(super) fn find(sources: &Sources) -> Option<(PathBuf, Source)> {
    if let Some(path) = &sources.file {
        return Some((path.clone(), Source::Flag));
    }
    if let Some(path) = sources.environment.get("AICT_CONFIG").filter(|path| !path.is_empty()) {
        return Some((PathBuf::from(path), Source::Variable("AICT_CONFIG".to_owned())));
    }
    let implicit = Path::new(IMPLICIT);
    implicit.exists().then(|| (implicit.to_owned(), Source::Defaults))
}
