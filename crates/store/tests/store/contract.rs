//! The contract that every store keeps.

mod usage {
    use std::sync::Arc;

    use store::UsageStore;
    use tempfile::TempDir;

    async fn make() -> Option<(Arc<dyn UsageStore>, TempDir)> {
        let crate::Fixture { folder, store } = crate::Fixture::new();
        Some((Arc::new(store), folder))
    }

    store::usage_contract!(make);
}

mod meta {
    use std::sync::Arc;

    use store::MetaStore;
    use tempfile::TempDir;

    async fn make() -> Option<(Arc<dyn MetaStore>, TempDir)> {
        let crate::Fixture { folder, store } = crate::Fixture::new();
        Some((Arc::new(store), folder))
    }

    store::meta_contract!(make);
}
