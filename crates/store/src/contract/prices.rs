//! What the operator says of prices.

use std::sync::Arc;

use super::sample::{at, id};
use crate::{MetaStore, PriceDocument, PriceRevision, StoreError};

/// What is kept comes back as it was, and documents do not mix.
pub async fn the_newest_revision_counts(store: Arc<dyn MetaStore>) {
    assert_eq!(store.find_price_revision(PriceDocument::Catalog).await.unwrap(), None);
    for number in [1, 2] {
        store.insert_price_revision(&revision(PriceDocument::Catalog, number)).await.unwrap();
    }
    let mappings = PriceRevision { author: None, ..revision(PriceDocument::Mappings, 1) };
    store.insert_price_revision(&mappings).await.unwrap();
    let newest = store.find_price_revision(PriceDocument::Catalog).await.unwrap();
    assert_eq!(newest, Some(revision(PriceDocument::Catalog, 2)));
    assert_eq!(store.find_price_revision(PriceDocument::Mappings).await.unwrap(), Some(mappings));
    assert_eq!(store.find_price_revision(PriceDocument::Adjustments).await.unwrap(), None);
    let listed = store.list_price_revisions(PriceDocument::Catalog).await.unwrap();
    let expected = [2, 1]
        .map(|number| PriceRevision { json: String::new(), ..revision(PriceDocument::Catalog, number) });
    assert_eq!(listed, expected);
}

/// Of two who change the same document at once, one is told.
pub async fn a_revision_follows_the_newest(store: Arc<dyn MetaStore>) {
    store.insert_price_revision(&revision(PriceDocument::Adjustments, 1)).await.unwrap();
    for number in [0, 1, 3] {
        let refused = store.insert_price_revision(&revision(PriceDocument::Adjustments, number)).await;
        assert!(matches!(refused, Err(StoreError::Conflict("revision"))), "{number}: {refused:?}");
    }
}

fn revision(document: PriceDocument, number: u64) -> PriceRevision {
    PriceRevision {
        document,
        number,
        json: format!("{{\"revision\":{number}}}"),
        note: format!("change {number}"),
        author: Some(id(7)),
        at: at("2024-01-01T00:00:00Z"),
    }
}
