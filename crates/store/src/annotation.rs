//! The contract for annotations.

use async_trait::async_trait;
use domain::{AnnotationId, Interval, ProjectId, annotation::Annotation};

use crate::StoreError;

/// A part of the annotations, the latest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnotationQuery {
    /// Those of these projects, and those of the whole installation; `None` for all.
    pub projects: Option<Vec<ProjectId>>,
    /// When they happened.
    pub period: Interval,
    /// Those that come after this one in the list.
    pub before: Option<AnnotationId>,
    /// So many at most.
    pub limit: usize,
}

/// What happened, as people and programs said.
#[async_trait]
pub trait AnnotationStore: Send + Sync {
    /// Keeps an annotation; the one that is kept. If its project had one of the same moment and title, that stays and is
    /// returned: a job that is run again says nothing new.
    async fn insert_annotation(&self, annotation: &Annotation) -> Result<Annotation, StoreError>;

    /// The annotation.
    async fn find_annotation(&self, id: AnnotationId) -> Result<Option<Annotation>, StoreError>;

    /// A part of them, by the time at which they happened, the latest first. `BadCursor` if `before` is none.
    async fn list_annotations(&self, query: &AnnotationQuery) -> Result<Vec<Annotation>, StoreError>;

    /// How many there are.
    async fn count_annotations(&self) -> Result<u64, StoreError>;

    /// Deletes an annotation; `false` if there was none.
    async fn delete_annotation(&self, id: AnnotationId) -> Result<bool, StoreError>;
}
