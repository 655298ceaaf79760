//! The OpenAPI document as this page needs it: its operations by tag, its schemas by name.

use super::node::Node;

/// Tags in the order in which people need them; others follow.
const TAGS: &[&str] = &[
    "Usage",
    "Analytics",
    "Projects",
    "Prices",
    "Authentication",
    "Account",
    "Tracker keys",
    "Provider keys",
];
const METHODS: &[&str] = &["get", "post", "put", "patch", "delete"];
const SCHEMA_PATH: &str = "#/components/schemas/";

/// An OpenAPI document.
#[derive(Debug)]
pub(super) struct Outline {
    document: Node,
}

/// One method of one path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation<'a> {
    /// In lower case.
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) node: &'a Node,
}

impl Outline {
    pub(super) const fn new(document: Node) -> Self {
        Self { document }
    }

    /// A text of the document's head.
    pub(super) fn info(&self, name: &str) -> &str {
        self.document.get("info").map_or("", |info| info.text(name))
    }

    /// Every operation, in the document's order.
    pub(super) fn operations(&self) -> Vec<Operation<'_>> {
        let paths = self.document.members_of("paths").iter();
        paths.flat_map(|(path, item)| operations_of(path, item)).collect()
    }

    /// The tags that operations have.
    pub(super) fn tags(&self) -> Vec<&str> {
        let mut tags: Vec<&str> = Vec::new();
        for operation in self.operations() {
            if !tags.contains(&operation.tag()) {
                tags.push(operation.tag());
            }
        }
        tags.sort_by_key(|tag| TAGS.iter().position(|known| known == tag).unwrap_or(TAGS.len()));
        tags
    }

    /// The operations of one tag.
    pub(super) fn operations_of_tag<'a>(&'a self, tag: &'a str) -> impl Iterator<Item = Operation<'a>> {
        self.operations().into_iter().filter(move |operation| operation.tag() == tag)
    }

    /// Every named schema, envelopes included.
    pub(super) fn schemas(&self) -> &[(String, Node)] {
        self.document.get("components").map_or(&[], |components| components.members_of("schemas"))
    }

    /// The schema itself, if `schema` only names it.
    pub(super) fn resolve<'a>(&'a self, schema: &'a Node) -> &'a Node {
        let named = reference(schema).and_then(|name| self.schemas().iter().find(|(own, _)| own == name));
        named.map_or(schema, |(_, schema)| schema)
    }
}

/// Whether a schema of that name is the envelope of an answer; the page describes it once for all.
pub(super) fn is_envelope(name: &str) -> bool {
    name.starts_with("Success_")
}

/// The name of the schema that `schema` stands for.
pub(super) fn reference(schema: &Node) -> Option<&str> {
    schema.text("$ref").strip_prefix(SCHEMA_PATH)
}

fn operations_of<'a>(path: &'a str, item: &'a Node) -> Vec<Operation<'a>> {
    let of_method = |method: &&'static str| item.get(method).map(|node| Operation { method, path, node });
    METHODS.iter().filter_map(of_method).collect()
}

impl<'a> Operation<'a> {
    pub(super) fn id(&self) -> &'a str {
        self.node.text("operationId")
    }

    pub(super) fn tag(&self) -> &'a str {
        match self.node.list("tags").first() {
            Some(Node::Text(tag)) => tag,
            _ => "Other",
        }
    }

    /// Its first sentence; what follows is [`Self::description`].
    pub(super) fn summary(&self) -> &'a str {
        self.node.text("summary")
    }

    pub(super) fn description(&self) -> &'a str {
        self.node.text("description")
    }

    /// Whether it takes no credential.
    pub(super) fn is_open(&self) -> bool {
        self.node.list("security").iter().any(|requirement| requirement.members().is_empty())
    }

    /// The scopes that the document names.
    pub(super) fn scopes(&self) -> Vec<&'a str> {
        let requirements = self.node.list("security").iter().flat_map(Node::members);
        let scopes = requirements
            .filter_map(|(_, scopes)| if let Node::List(scopes) = scopes { Some(scopes) } else { None });
        let mut names: Vec<&str> = Vec::new();
        for scope in scopes.flatten() {
            if let Node::Text(scope) = scope
                && !names.contains(&scope.as_str())
            {
                names.push(scope);
            }
        }
        names
    }

    pub(super) fn parameters(&self) -> &'a [Node] {
        self.node.list("parameters")
    }

    /// What it takes: media types and their schemas.
    pub(super) fn body(&self) -> &'a [(String, Node)] {
        self.node.get("requestBody").map_or(&[], |body| body.members_of("content"))
    }

    pub(super) fn responses(&self) -> &'a [(String, Node)] {
        self.node.members_of("responses")
    }
}
