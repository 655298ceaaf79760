//! E-mail by SMTP.

use std::time::{Duration, SystemTime};

use domain::{Secret, text};
use jiff::Timestamp;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message as Mail, Tokio1Executor,
    message::{Mailbox, MultiPart, header::HeaderName, header::HeaderValue},
    transport::smtp::{authentication::Credentials, extension::ClientId},
};

use super::{Answer, Outcome, message::Message};
use crate::{
    config::{Smtp, SmtpSecurity},
    limits,
};

/// How long one step of the conversation with the mail server may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Hands e-mail to the configured mail server.
#[derive(Debug)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// The mail server cannot be used as configured.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// The sender is not an address.
    #[error("smtp.from: {0}")]
    From(#[from] lettre::address::AddressError),
    /// TLS cannot be set up for this host.
    #[error("smtp.host: {0}")]
    Tls(#[from] lettre::transport::smtp::Error),
}

/// An e-mail to send.
#[derive(Debug)]
pub struct Letter<'a> {
    /// To whom.
    pub to: &'a str,
    /// Its `Message-ID` before the `@`; the same over every repetition.
    pub id: &'a str,
    /// When it was caused.
    pub at: Timestamp,
    /// What it says.
    pub message: &'a Message,
    /// Where to look further.
    pub link: Option<&'a str>,
}

impl Mailer {
    /// The mailer that `smtp` says; `None` when it names no host.
    pub fn new(smtp: &Smtp) -> Result<Option<Self>, MailerError> {
        if smtp.host.is_empty() {
            return Ok(None);
        }
        let from: Mailbox = smtp.from.parse()?;
        let builder = match smtp.security {
            SmtpSecurity::None => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host),
            SmtpSecurity::StartTls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&smtp.host)?,
            SmtpSecurity::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(&smtp.host)?,
        };
        let mut builder = builder
            .port(smtp.port)
            .timeout(Some(TIMEOUT))
            .hello_name(ClientId::Domain(from.email.domain().to_owned()));
        if !smtp.username.is_empty() {
            let password = smtp.password.as_ref().map(Secret::expose).unwrap_or_default();
            builder = builder.credentials(Credentials::new(smtp.username.clone(), password.to_owned()));
        }
        Ok(Some(Self { transport: builder.build(), from }))
    }

    /// Sends `letter` and says what came of it.
    pub async fn send(&self, letter: &Letter<'_>) -> Answer {
        let mail = match self.write(letter) {
            Ok(mail) => mail,
            Err(why) => return Answer::none(Outcome::GiveUp(why)),
        };
        match self.transport.send(mail).await {
            Ok(response) => {
                let words = response.message().collect::<Vec<_>>().join(" ");
                Answer {
                    status: Some(response.code().into()),
                    excerpt: Some(text::cut(&words, limits::RESPONSE_EXCERPT_BYTES).to_owned()),
                    outcome: Outcome::Delivered,
                    retry_after_seconds: None,
                }
            }
            Err(error) => refused(&error),
        }
    }

    fn write(&self, letter: &Letter<'_>) -> Result<Mail, String> {
        let to: Mailbox =
            letter.to.parse().map_err(|error| format!("the address cannot be written to: {error}"))?;
        let Message { title, lines } = letter.message;
        let mail = Mail::builder()
            .from(self.from.clone())
            .to(to)
            .subject(title.as_str())
            .date(system_time(letter.at))
            .message_id(Some(format!("<{}@{}>", letter.id, self.from.email.domain())))
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        let body = MultiPart::alternative_plain_html(
            plain(title, lines, letter.link),
            html(title, lines, letter.link),
        );
        mail.multipart(body).map_err(|error| format!("the e-mail cannot be written: {error}"))
    }
}

/// E-mail tells whole seconds since 1970.
fn system_time(at: Timestamp) -> SystemTime {
    let seconds = u64::try_from(at.as_second()).unwrap_or(0);
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn refused(error: &lettre::transport::smtp::Error) -> Answer {
    let mut why = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if !why.contains(&inner.to_string()) {
            why = format!("{why}: {inner}");
        }
        cause = inner.source();
    }
    let why = text::cut(&why, limits::RESPONSE_EXCERPT_BYTES).to_owned();
    let outcome = if error.is_permanent() { Outcome::GiveUp(why) } else { Outcome::Retry(why) };
    Answer { status: error.status().map(Into::into), ..Answer::none(outcome) }
}

fn plain(title: &str, lines: &[String], link: Option<&str>) -> String {
    let link = link.map(|link| format!("\n\n{link}")).unwrap_or_default();
    format!("{title}\n\n{}{link}\n\nAI Cost Tracker\n", lines.join("\n"))
}

fn html(title: &str, lines: &[String], link: Option<&str>) -> String {
    let rows: Vec<String> = lines.iter().map(|line| format!("{}<br>", escape(line))).collect();
    let rows = rows.concat();
    let link = link.map(|link| format!("<p><a href=\"{0}\">{0}</a></p>", escape(link))).unwrap_or_default();
    format!(
        "<!doctype html><html lang=\"en\"><body style=\"font-family:sans-serif;color:#1a1a1a\">\
         <h1 style=\"font-size:18px\">{}</h1><p>{rows}</p>{link}\
         <p style=\"color:#666;font-size:12px\">AI Cost Tracker</p></body></html>",
        escape(title)
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailer() -> Mailer {
        let smtp = Smtp {
            host: "mail.example.com".to_owned(),
            port: 25,
            security: SmtpSecurity::None,
            username: String::new(),
            password: None,
            from: "AI Cost Tracker <costs@example.com>".to_owned(),
        };
        Mailer::new(&smtp).unwrap().unwrap()
    }

    fn written(to: &str, title: &str) -> Result<String, String> {
        let message =
            Message { title: title.to_owned(), lines: vec!["<script>alert('x')</script>".to_owned()] };
        let at = "2024-02-10T12:00:00Z".parse().unwrap();
        let link = Some("https://costs.example.com/?a=1&b=\"2\"");
        let letter = Letter { to, id: "507f1f77bcf86cd799439011", at, message: &message, link };
        let formatted = |mail: Mail| String::from_utf8(mail.formatted()).unwrap();
        // Quoted-printable breaks lines anywhere.
        mailer().write(&letter).map(|mail| formatted(mail).replace("=\r\n", ""))
    }

    #[test]
    fn a_letter_has_two_bodies_and_nothing_of_a_project_is_markup() {
        let mail = written("ada@example.com", "Chat & co: 80 %").unwrap();
        for part in [
            "From: \"AI Cost Tracker\" <costs@example.com>",
            "To: ada@example.com",
            "Subject: Chat & co: 80 %",
            "Date: Sat, 10 Feb 2024 12:00:00 +0000",
            "Message-ID: <507f1f77bcf86cd799439011@example.com>",
            "Auto-Submitted: auto-generated",
            "multipart/alternative",
            "text/plain; charset=utf-8",
            "text/html; charset=utf-8",
            "&lt;script&gt;",
        ] {
            assert!(mail.contains(part), "{part} is not in\n{mail}");
        }
        assert_eq!(mail.matches("<script>").count(), 1, "in the plain text only\n{mail}");
    }

    #[test]
    fn a_name_cannot_add_headers() {
        let mail = written("ada@example.com", "x\r\nBcc: eve@example.com").unwrap();
        let head = mail.split("\r\n\r\n").next().unwrap();
        assert!(!head.contains("\nBcc:"), "{mail}");
        assert!(written("ada@example.com\r\nBcc: eve@example.com", "x").is_err());
    }
}
