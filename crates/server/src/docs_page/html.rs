//! HTML under construction.

/// Markup. Literals go in as they are and everything else is escaped, so that a description cannot become markup.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Html(String);

impl Html {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds markup of our own.
    #[must_use]
    pub(super) fn raw(mut self, markup: &'static str) -> Self {
        self.0.push_str(markup);
        self
    }

    /// Adds text, escaped; also fit for the value of an attribute in quotes.
    #[must_use]
    pub(super) fn text(mut self, text: &str) -> Self {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
        self
    }

    /// Adds text as code.
    #[must_use]
    pub(super) fn code(self, text: &str) -> Self {
        self.raw("<code>").text(text).raw("</code>")
    }

    /// Adds what was made elsewhere.
    #[must_use]
    pub(super) fn then(mut self, other: &Self) -> Self {
        self.0.push_str(&other.0);
        self
    }

    /// Adds a path as code that may break before each slash.
    #[must_use]
    pub(super) fn path(self, path: &str) -> Self {
        let steps = path.split('/').skip(1);
        self.raw("<code class=\"path\">")
            .each(steps, |step| Self::new().raw("<wbr>/").text(step))
            .raw("</code>")
    }

    /// Adds one piece for each item.
    #[must_use]
    pub(super) fn each<T>(self, items: impl IntoIterator<Item = T>, piece: impl Fn(T) -> Self) -> Self {
        items.into_iter().fold(self, |html, item| html.then(&piece(item)))
    }

    /// Adds the pieces with a comma between them.
    #[must_use]
    pub(super) fn listed(self, pieces: impl IntoIterator<Item = Self>) -> Self {
        let mut html = self;
        for (index, piece) in pieces.into_iter().enumerate() {
            html = if index == 0 { html } else { html.raw(", ") }.then(&piece);
        }
        html
    }

    /// Adds a line of a description: what stands between backticks is code.
    #[must_use]
    pub(super) fn phrase(self, text: &str) -> Self {
        let pieces = text.split('`').enumerate();
        pieces.fold(
            self,
            |html, (index, piece)| if index % 2 == 1 { html.code(piece) } else { html.text(piece) },
        )
    }

    /// Adds a description: its paragraphs.
    #[must_use]
    pub(super) fn prose(self, text: &str) -> Self {
        let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
        self.each(paragraphs, |paragraph| Self::new().raw("<p>").phrase(paragraph).raw("</p>"))
    }

    /// The markup.
    pub(super) fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let hostile = r#"<script>alert('1')</script>" onload="x&"#;
        let html = Html::new().text(hostile).into_string();
        assert_eq!(html, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload=&quot;x&amp;");
        assert!(!Html::new().prose(&format!("`{hostile}`\n\n{hostile}")).into_string().contains("<script"));
    }

    #[test]
    fn backticks_are_code_and_blank_lines_part_paragraphs() {
        let html = Html::new().prose("One `a` of\ntwo.\n\nThree.").into_string();
        assert_eq!(html, "<p>One <code>a</code> of\ntwo.</p><p>Three.</p>");
    }
}
