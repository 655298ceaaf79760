//! Finding the price of a call.

use std::borrow::Cow;
use std::sync::Arc;

use super::name::{is_arn, is_bedrock, split_date, split_geography, without_path};
use jiff::Timestamp;

use super::{Call, Catalog, Found, MatchRule, Model, Provider};
use crate::{Conditions, Price, Unpriced};

/// A model that a name was recognised as.
struct Recognised {
    provider: usize,
    model: usize,
    rule: MatchRule,
}

/// A model that a call names, and how it was served.
struct Named<'c> {
    found: Recognised,
    /// Who was called.
    provider: usize,
    /// The service tier, unless it is the standard one.
    tier: Option<Cow<'c, str>>,
}

/// The prices of calls that differ in their time only.
///
/// Those by the name that answered, then those by the name that was asked for; of each name those that fit most closely
/// first.
#[derive(Clone, Debug)]
pub struct PriceHistory<'a>(Vec<Vec<&'a Price>>);

/// The row in force for a call.
struct Located<'a> {
    price: &'a Arc<Price>,
    rule: MatchRule,
    /// Who was called.
    provider: usize,
    tier_assumed_standard: bool,
    by_response: bool,
}

const BEDROCK: &str = "bedrock";
/// A longer name is no model's.
const MODEL_NAME_BYTES_MAX: usize = 512;
/// A proxy, which puts the real provider in front of the model.
const LITELLM: &str = "litellm";

impl Catalog {
    /// The price that was in force for `call`.
    ///
    /// The model that answered is looked for first, then the one that was asked for: by its id, its aliases, its name
    /// with or without the date of a snapshot, and the catalog's patterns, in this order; on Bedrock by its geography
    /// before that. A service tier without a price of its own gets the standard one, and
    /// [`Found::tier_assumed_standard`] says so.
    pub fn find_price(&self, call: &Call<'_>) -> Result<Found<'_>, Unpriced> {
        self.find_shared(call).map(|(found, _)| found)
    }

    /// The same, with a price to keep.
    pub(crate) fn find_shared(&self, call: &Call<'_>) -> Result<(Found<'_>, &Arc<Price>), Unpriced> {
        let located = self.locate(call)?;
        let provider = &self.providers[located.provider].id;
        let Located { price, rule, tier_assumed_standard, by_response, .. } = located;
        Ok((Found { price, rule, provider, tier_assumed_standard, by_response }, price))
    }

    fn locate(&self, call: &Call<'_>) -> Result<Located<'_>, Unpriced> {
        let answered = call.response_model.and_then(|model| self.locate_model(call, model).ok());
        match answered {
            Some(located) => Ok(Located { by_response: true, ..located }),
            None => self.locate_model(call, call.model),
        }
    }

    fn locate_model(&self, call: &Call<'_>, model: &str) -> Result<Located<'_>, Unpriced> {
        let named = self.find_named(call, model)?;
        let price = self.price_in_force(&named, call)?;
        let tier_assumed_standard = named.tier.is_some() && price.conditions.service_tier.is_none();
        let Named { found, provider, .. } = named;
        Ok(Located { price, rule: found.rule, provider, tier_assumed_standard, by_response: false })
    }

    fn find_named<'c>(&self, call: &Call<'c>, model: &str) -> Result<Named<'c>, Unpriced> {
        let unknown = |provider: Option<&str>| Unpriced::UnknownModel {
            provider: provider.or(call.provider).map(str::to_owned),
            model: model.to_owned(),
        };
        if model.len() > MODEL_NAME_BYTES_MAX {
            return Err(unknown(None));
        }
        let name = fold(model);
        let (provider, name) = self.address(call.provider, &name).ok_or_else(|| unknown(None))?;
        let found =
            self.recognise(provider, name).ok_or_else(|| unknown(Some(&self.providers[provider].id)))?;
        let tier = call.service_tier.map(fold).filter(|tier| !is_standard_tier(tier));
        Ok(Named { found, provider, tier })
    }

    /// The prices of `call` at any time: what [`Self::find_price`] finds, for calls that differ in their time only.
    pub fn price_history(&self, call: &Call<'_>) -> PriceHistory<'_> {
        let names = call.response_model.into_iter().chain([call.model]);
        let named = names.filter_map(|name| self.find_named(call, name).ok());
        PriceHistory(named.map(|named| self.fitting_prices(&named, call)).collect())
    }

    /// Who sells `model`, when the caller did not say: by the form of its name, then by the makers' rules, then by
    /// which maker has a model of exactly that name. Never a reseller of other makers' models.
    pub fn resolve_provider(&self, model: &str) -> Option<&str> {
        self.address(None, &fold(model)).map(|(provider, _)| self.providers[provider].id.as_str())
    }

    /// Who makes the price of `model` when `provider` sells it, and what the catalog calls it.
    pub(crate) fn model_named(&self, provider: &str, model: &str) -> Option<(&str, &str)> {
        let found = self.recognise(self.provider_position(provider)?, &fold(model))?;
        let seller = &self.providers[found.provider];
        Some((&seller.id, &seller.index().list[found.model].id))
    }

    /// The provider, and the model's name without the provider's in front.
    fn address<'n>(&self, provider: Option<&str>, name: &'n str) -> Option<(usize, &'n str)> {
        match provider.filter(|provider| !provider.is_empty() && !provider.eq_ignore_ascii_case(LITELLM)) {
            Some(provider) => self.provider_position(provider).map(|index| (index, name)),
            None if is_bedrock(name) => self.provider_position(BEDROCK).map(|index| (index, name)),
            None => self
                .prefixed(name)
                .or_else(|| Some((self.maker_of(without_path(name).unwrap_or(name))?, name))),
        }
    }

    /// `anthropic/claude-opus-4-5` as a model of a provider.
    fn prefixed<'n>(&self, name: &'n str) -> Option<(usize, &'n str)> {
        let (prefix, model) = name.split_once('/')?;
        self.provider_position(prefix).map(|index| (index, model))
    }

    fn maker_of(&self, name: &str) -> Option<usize> {
        let recognises =
            |provider: &Provider| provider.model_match.as_ref().is_some_and(|rule| rule.matches(name));
        let has = |provider: &Provider| provider.first_party && provider.named(name).is_some();
        self.providers.iter().position(recognises).or_else(|| self.providers.iter().position(has))
    }

    /// The model of `provider`, or of those whose models it resells, that goes by `name`.
    fn recognise(&self, provider: usize, name: &str) -> Option<Recognised> {
        let sellers = || std::iter::once(provider).chain(self.providers[provider].resells.iter().copied());
        let in_sellers = |name: &str| sellers().find_map(|seller| self.recognise_at(seller, name));
        let own_prefix =
            || self.prefixed(name).filter(|&(prefix, _)| sellers().any(|seller| seller == prefix));
        in_sellers(name)
            .or_else(|| in_sellers(without_path(name)?))
            .or_else(|| own_prefix().and_then(|(_, model)| in_sellers(model)))
    }

    fn recognise_at(&self, seller: usize, name: &str) -> Option<Recognised> {
        let provider = &self.providers[seller];
        let (model, rule) = if provider.id == BEDROCK {
            provider.find_bedrock_model(name)
        } else {
            provider.find_model(name)
        }?;
        Some(Recognised { provider: seller, model, rule })
    }

    /// The row whose conditions fit the call most closely.
    fn price_in_force(&self, named: &Named<'_>, call: &Call<'_>) -> Result<&Arc<Price>, Unpriced> {
        let (provider, model) = self.model_of(&named.found);
        let rows = model.rows.iter().filter(|row| row.is_in_force(call.at));
        let fitting = rows.filter_map(|row| Some((row.conditions.fit(call, named.priced_tier())?, row)));
        let closest = fitting.max_by_key(|&(fit, row)| (fit, row.valid_from));
        closest.map(|(_, row)| self.price(provider, model, row)).ok_or_else(|| Unpriced::NoPriceAt {
            provider: provider.id.clone(),
            model: model.id.clone(),
            at: call.at,
        })
    }

    /// Every row whose conditions fit the call, those that fit most closely first.
    fn fitting_prices(&self, named: &Named<'_>, call: &Call<'_>) -> Vec<&Price> {
        let (provider, model) = self.model_of(&named.found);
        let rows = model.rows.iter();
        let fitting = rows.filter_map(|row| Some((row.conditions.fit(call, named.priced_tier())?, row)));
        let mut fitting: Vec<_> = fitting.collect();
        fitting.sort_by_key(|&(fit, row)| (fit, row.valid_from));
        fitting.into_iter().rev().map(|(_, row)| &**self.price(provider, model, row)).collect()
    }

    fn model_of(&self, found: &Recognised) -> (&Provider, &Model) {
        let provider = &self.providers[found.provider];
        (provider, &provider.index().list[found.model])
    }
}

impl Named<'_> {
    /// The tier for which a price is looked for: what a reseller asks for its tiers is not known.
    fn priced_tier(&self) -> Option<&str> {
        self.tier.as_deref().filter(|_| self.found.provider == self.provider)
    }
}

impl<'a> PriceHistory<'a> {
    /// The price in force at `at`.
    pub fn at(&self, at: Timestamp) -> Option<&'a Price> {
        self.0.iter().find_map(|prices| prices.iter().copied().find(|price| price.is_in_force(at)))
    }
}

impl Provider {
    fn find_model(&self, name: &str) -> Option<(usize, MatchRule)> {
        if let Some(found) = self.named(name) {
            return Some(found);
        }
        let models = self.index();
        let dated = split_date(name);
        let snapshot = dated.as_ref().and_then(|dated| {
            [&dated.dashed, &dated.compact, &dated.family].into_iter().find_map(|name| self.named(name))
        });
        let by_pattern =
            |name: &str| models.patterns.iter().find(|(rule, _)| rule.matches(name)).map(|&(_, model)| model);
        snapshot
            .map(|(model, _)| (model, MatchRule::Snapshot))
            .or_else(|| Some((by_pattern(name)?, MatchRule::Pattern)))
            .or_else(|| Some((by_pattern(&dated?.dashed)?, MatchRule::Pattern)))
            .or_else(|| Some((*models.families.get(name)?, MatchRule::Family)))
    }

    /// The geography decides the price, so it is part of the name as long as the catalog knows it. An unlisted
    /// geography costs what `us.` costs: geographies carry the same premium.
    fn find_bedrock_model(&self, name: &str) -> Option<(usize, MatchRule)> {
        let model = without_path(name).unwrap_or(name);
        let geography = split_geography(model);
        let elsewhere = || {
            geography.filter(|&(geography, _)| geography != "global").map(|(_, rest)| format!("us.{rest}"))
        };
        let (found, rule) = self
            .find_model(model)
            .or_else(|| self.find_model(&elsewhere()?))
            .or_else(|| self.find_model(geography?.1))?;
        let rule = match geography {
            _ if is_arn(name) => MatchRule::InferenceProfile,
            Some(_) => MatchRule::BedrockGeography,
            None => rule,
        };
        Some((found, rule))
    }

    fn named(&self, name: &str) -> Option<(usize, MatchRule)> {
        self.index().names.get(name).copied()
    }
}

impl Conditions {
    /// How closely they fit the call; `None` when one of them does not hold.
    pub(crate) fn fit(&self, call: &Call<'_>, tier: Option<&str>) -> Option<[bool; 4]> {
        let Self { service_tier, region, search_type, daily } = self;
        let holds = |condition: &Option<String>, value: Option<&str>| match condition {
            None => Some(false),
            Some(wanted) => value.is_some_and(|value| wanted.eq_ignore_ascii_case(value)).then_some(true),
        };
        Some([
            holds(service_tier, tier)?,
            holds(region, call.region)?,
            holds(search_type, call.search_type)?,
            daily.is_some(),
        ])
    }
}

pub(crate) fn is_standard_tier(tier: &str) -> bool {
    matches!(tier, "" | "default" | "standard" | "standard_only" | "auto" | "on_demand" | "on-demand")
}

pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.chars().any(char::is_uppercase) { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) }
}
