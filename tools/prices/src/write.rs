//! The catalog as text: one model a line, so that a diff shows which prices changed.

use anyhow::Result;
use pricing::file::Catalog;

/// The catalog as JSON.
pub(crate) fn catalog(catalog: &Catalog) -> Result<String> {
    let line = serde_json::to_string::<Catalog>;
    let head = line(&Catalog { providers: Vec::new(), ..catalog.clone() })?;
    let mut text = head.trim_end_matches("]}").to_owned();
    for (index, provider) in catalog.providers.iter().enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        let mut provider = provider.clone();
        let models = std::mem::take(&mut provider.models);
        text.push_str(serde_json::to_string(&provider)?.trim_end_matches("]}"));
        for (index, model) in models.iter().enumerate() {
            text.push_str(if index == 0 { "\n" } else { ",\n" });
            text.push_str(&serde_json::to_string(model)?);
        }
        text.push_str("\n]}");
    }
    text.push_str("\n]}\n");
    Ok(text)
}
