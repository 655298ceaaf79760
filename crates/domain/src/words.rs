//! How enums of words are described in the OpenAPI document.

/// Describes an enum as the words that [`as_str`] gives: `utoipa` does not see through names that a macro writes.
///
/// [`as_str`]: crate::event::EventType::as_str
#[macro_export]
macro_rules! schema_of_words {
    ($name:ident, $doc:expr) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .description(Some($doc.trim()))
                    .enum_values(Some(Self::ALL.iter().map(|word| word.as_str())))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
