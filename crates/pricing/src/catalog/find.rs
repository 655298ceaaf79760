//! Finding the price of a call.

use std::borrow::Cow;

use super::name::{is_arn, is_bedrock, split_date, split_geography, without_path};
use super::{Call, Catalog, Found, MatchRule, Provider};
use crate::{Conditions, Price, Unpriced};

/// A model that a name was recognised as.
struct Recognised {
    provider: usize,
    model: usize,
    rule: MatchRule,
}

const BEDROCK: &str = "bedrock";
/// A longer name is no model's.
const MODEL_NAME_BYTES_MAX: usize = 512;
/// A proxy, which puts the real provider in front of the model.
const LITELLM: &str = "litellm";

impl Catalog {
    /// The price that was in force for `call`.
    ///
    /// The model is looked for by its id, its aliases, its name with or without the date of a snapshot, and the
    /// catalog's patterns, in this order; on Bedrock by its geography before that. A service tier without a price of
    /// its own gets the standard one, and [`Found::tier_assumed_standard`] says so.
    pub fn find_price(&self, call: &Call<'_>) -> Result<Found<'_>, Unpriced> {
        if call.model.len() > MODEL_NAME_BYTES_MAX {
            return Err(unknown(call, None));
        }
        let name = fold(call.model);
        let (provider, name) = self.address(call.provider, &name).ok_or_else(|| unknown(call, None))?;
        let id = &self.providers[provider].id;
        let model = self.recognise(provider, name).ok_or_else(|| unknown(call, Some(id)))?;
        let tier = call.service_tier.map(fold).filter(|tier| !is_standard_tier(tier));
        // What a reseller asks for its tiers is not known.
        let priced_tier = tier.as_deref().filter(|_| model.provider == provider);
        let price = self.row_in_force(&model, call, priced_tier)?;
        let tier_assumed_standard = tier.is_some() && price.conditions.service_tier.is_none();
        Ok(Found { price, rule: model.rule, provider: id, tier_assumed_standard })
    }

    /// Who sells `model`, when the caller did not say: by the form of its name, then by the makers' rules, then by
    /// which maker has a model of exactly that name. Never a reseller of other makers' models.
    pub fn resolve_provider(&self, model: &str) -> Option<&str> {
        self.address(None, &fold(model)).map(|(provider, _)| self.providers[provider].id.as_str())
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
    fn row_in_force(
        &self,
        found: &Recognised,
        call: &Call<'_>,
        tier: Option<&str>,
    ) -> Result<&Price, Unpriced> {
        let provider = &self.providers[found.provider];
        let model = &provider.models[found.model];
        let rows = self.prices[model.prices.clone()].iter().filter(|price| price.is_in_force(call.at));
        rows.filter_map(|price| Some((fit(price, call, tier)?, price)))
            .max_by_key(|&(fit, price)| (fit, price.valid_from))
            .map(|(_, price)| price)
            .ok_or_else(|| Unpriced::NoPriceAt {
                provider: provider.id.clone(),
                model: model.id.clone(),
                at: call.at,
            })
    }
}

impl Provider {
    fn find_model(&self, name: &str) -> Option<(usize, MatchRule)> {
        if let Some(found) = self.named(name) {
            return Some(found);
        }
        let dated = split_date(name);
        let snapshot = dated.as_ref().and_then(|dated| {
            [&dated.dashed, &dated.compact, &dated.family].into_iter().find_map(|name| self.named(name))
        });
        let by_pattern =
            |name: &str| self.patterns.iter().find(|(rule, _)| rule.matches(name)).map(|&(_, model)| model);
        snapshot
            .map(|(model, _)| (model, MatchRule::Snapshot))
            .or_else(|| Some((by_pattern(name)?, MatchRule::Pattern)))
            .or_else(|| Some((by_pattern(&dated?.dashed)?, MatchRule::Pattern)))
            .or_else(|| Some((*self.families.get(name)?, MatchRule::Family)))
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
        self.names.get(name).copied()
    }
}

/// How closely the price's conditions fit the call; `None` when one of them does not hold.
fn fit(price: &Price, call: &Call<'_>, tier: Option<&str>) -> Option<[bool; 4]> {
    let Conditions { service_tier, region, search_type, daily } = &price.conditions;
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

fn unknown(call: &Call<'_>, provider: Option<&str>) -> Unpriced {
    let provider = provider.or(call.provider).map(str::to_owned);
    Unpriced::UnknownModel { provider, model: call.model.to_owned() }
}

fn is_standard_tier(tier: &str) -> bool {
    matches!(tier, "" | "default" | "standard" | "standard_only" | "auto" | "on_demand" | "on-demand")
}

fn fold(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.chars().any(char::is_uppercase) { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) }
}
