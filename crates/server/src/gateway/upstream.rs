//! Where calls go.

use std::{borrow::Cow, collections::BTreeMap, path::Path, sync::Arc};

use axum::http::Uri;
use domain::{provider_key::AwsCredential, wire::Dialect};

use super::client::{Client, ClientError, client};
use crate::config::{self, KeyPlace, ProviderUpstream};

/// A provider that calls are forwarded to.
#[derive(Debug)]
pub(super) struct Upstream {
    /// Its name in the path.
    pub(super) name: String,
    /// Canonical id of the provider whose prices and keys hold.
    pub(super) provider: String,
    /// How it takes its key.
    pub(super) key_place: KeyPlace,
    /// Whether a stream must be asked to say its usage.
    pub(super) ask_for_usage: bool,
    /// Makes the calls.
    pub(super) client: Client,
    base_url: String,
}

/// Every upstream, by its name in the path.
#[derive(Debug)]
pub(super) struct Upstreams(BTreeMap<String, Arc<Upstream>>);

impl Upstreams {
    pub(super) fn new(config: &config::Gateway) -> Result<Self, ClientError> {
        let shared = client(None, config.calls_max)?;
        let upstream = |(name, upstream): (&String, &ProviderUpstream)| {
            let provider = pricing::canonical_provider(upstream.provider.as_deref().unwrap_or(name));
            // Who vouches for one provider does not vouch for the others.
            let client = match &upstream.ca_file {
                Some(file) => client(Some(Path::new(file)), config.calls_max)?,
                None => shared.clone(),
            };
            let upstream = Upstream {
                name: name.clone(),
                provider: provider.into_owned(),
                key_place: upstream.auth,
                ask_for_usage: upstream.ask_for_usage,
                client,
                base_url: upstream.base_url.clone(),
            };
            Ok((name.clone(), Arc::new(upstream)))
        };
        config.providers.iter().map(upstream).collect::<Result<_, _>>().map(Self)
    }

    /// The upstream with this name, or the one whose provider has this name among its own.
    pub(super) fn find(&self, name: &str) -> Option<&Arc<Upstream>> {
        self.0.get(name).or_else(|| self.0.get(pricing::canonical_provider(name).as_ref()))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl Upstream {
    /// The address of `path` (with its slash in front) and `query`; `credential` tells the region, where one is needed.
    pub(super) fn address(
        &self,
        path: &str,
        query: Option<&str>,
        credential: Option<&AwsCredential>,
    ) -> Option<Uri> {
        let mut base = Cow::Borrowed(self.base_url.as_str());
        if base.contains("{region}") {
            base = base.replace("{region}", host_label(&credential?.region)?).into();
        }
        if base.contains("{location}") {
            let location = host_label(path.split_once("/locations/")?.1.split('/').next()?)?;
            base = match location {
                // https://cloud.google.com/vertex-ai/docs/general/locations: the global endpoint has no prefix.
                "global" => base.replace("{location}-", "").into(),
                location => base.replace("{location}", location).into(),
            };
        }
        let query = query.map_or_else(String::new, |query| format!("?{query}"));
        format!("{base}{path}{query}").parse().ok()
    }

    /// Its address, as configured.
    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// In what shape its replies to a request for `path` are.
    pub(super) fn dialect(&self, path: &str) -> Dialect {
        Dialect::of(&self.provider, path)
    }
}

/// What a client says must not lead to another host.
fn host_label(text: &str) -> Option<&str> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (!text.is_empty() && text.len() <= 63 && text.bytes().all(fits)).then_some(text)
}

#[cfg(test)]
mod tests {
    use domain::Secret;

    use super::*;
    use crate::config::{Config, Sources};

    fn upstreams() -> Upstreams {
        Upstreams::new(&Config::load(&Sources::default()).unwrap().gateway).unwrap()
    }

    fn address(
        name: &str,
        path: &str,
        query: Option<&str>,
        credential: Option<&AwsCredential>,
    ) -> Option<String> {
        upstreams().find(name).unwrap().address(path, query, credential).map(|uri| uri.to_string())
    }

    #[test]
    fn the_rest_of_the_path_is_appended_as_it_is() {
        let openai = address("openai", "/v1/files/a%2Fb", Some("limit=2"), None);
        assert_eq!(openai.as_deref(), Some("https://api.openai.com/v1/files/a%2Fb?limit=2"));
        let groq = address("groq", "/v1/chat/completions", None, None);
        assert_eq!(groq.as_deref(), Some("https://api.groq.com/openai/v1/chat/completions"));
        assert_eq!(upstreams().find("google-ai").unwrap().name, "google");
        assert!(upstreams().find("nobody").is_none());
    }

    #[test]
    fn region_and_location_make_the_host_and_nothing_else() {
        let credential = |region: &str| AwsCredential {
            access_key_id: "AKIA".to_owned(),
            secret_access_key: Secret::new("s"),
            session_token: None,
            region: region.to_owned(),
        };
        assert_eq!(
            address("bedrock", "/model/m/converse", None, Some(&credential("eu-central-1"))).as_deref(),
            Some("https://bedrock-runtime.eu-central-1.amazonaws.com/model/m/converse")
        );
        assert_eq!(address("bedrock", "/model/m/converse", None, Some(&credential("evil.com/"))), None);
        let vertex =
            |location: &str| address("vertex", &format!("/v1/projects/p/locations/{location}/x"), None, None);
        assert_eq!(
            vertex("europe-west4").as_deref(),
            Some("https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4/x")
        );
        assert_eq!(
            vertex("global").as_deref(),
            Some("https://aiplatform.googleapis.com/v1/projects/p/locations/global/x")
        );
        assert_eq!(vertex("evil.com#"), None);
    }
}
