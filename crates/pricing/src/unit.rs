//! What can be counted.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Per;

macro_rules! units {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// Something a provider counts and may charge for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Unit {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $name,)+
        }

        impl Unit {
            /// Every unit, in the order in which they are listed in a bill.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The name in JSON, SQL and the catalog.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

units! {
    /// The whole prompt: cached, cache-written, audio, image and video tokens included.
    InputTokens = "input_tokens",
    /// The whole reply: reasoning, audio, image and video tokens included.
    OutputTokens = "output_tokens",
    /// Input and output together, for records that know no more.
    TotalTokens = "total_tokens",
    /// Input tokens read from the provider's prompt cache.
    CacheReadTokens = "cache_read_tokens",
    /// Input tokens written to the prompt cache, whatever their lifetime.
    CacheWriteTokens = "cache_write_tokens",
    /// Of the written tokens, those kept for an hour.
    CacheWrite1hTokens = "cache_write_1h_tokens",
    /// Of the written tokens, those kept for twelve hours.
    CacheWrite12hTokens = "cache_write_12h_tokens",
    /// Output tokens spent on reasoning.
    ReasoningTokens = "reasoning_tokens",
    /// Input tokens that encode audio.
    InputAudioTokens = "input_audio_tokens",
    /// Audio input tokens read from the cache.
    CacheReadAudioTokens = "cache_read_audio_tokens",
    /// Input tokens that encode images.
    InputImageTokens = "input_image_tokens",
    /// Image input tokens read from the cache.
    CacheReadImageTokens = "cache_read_image_tokens",
    /// Input tokens that encode video.
    InputVideoTokens = "input_video_tokens",
    /// Video input tokens read from the cache.
    CacheReadVideoTokens = "cache_read_video_tokens",
    /// Output tokens that encode audio.
    OutputAudioTokens = "output_audio_tokens",
    /// Output tokens that encode images.
    OutputImageTokens = "output_image_tokens",
    /// Output tokens that encode video.
    OutputVideoTokens = "output_video_tokens",
    /// Output tokens that cite sources.
    CitationTokens = "citation_tokens",
    /// Characters of text to be spoken or translated.
    InputCharacters = "input_characters",
    /// Milliseconds of audio, heard and spoken.
    AudioMilliseconds = "audio_milliseconds",
    /// Milliseconds of audio heard.
    InputAudioMilliseconds = "input_audio_milliseconds",
    /// Milliseconds of audio spoken.
    OutputAudioMilliseconds = "output_audio_milliseconds",
    /// Milliseconds of video watched.
    InputVideoMilliseconds = "input_video_milliseconds",
    /// Milliseconds of video made.
    OutputVideoMilliseconds = "output_video_milliseconds",
    /// Document pages read.
    Pages = "pages",
    /// Of the pages read, those that were annotated.
    AnnotatedPages = "annotated_pages",
    /// Images looked at, where they are charged by the image.
    InputImages = "input_images",
    /// Images made.
    Images = "images",
    /// Short text messages, where they are charged by the message.
    TextMessages = "text_messages",
    /// Calls, where each call has a price of its own. Absent means one.
    Requests = "requests",
    /// Web searches that the model made.
    WebSearches = "web_searches",
    /// Searches in stored files.
    FileSearches = "file_searches",
    /// Runs of code in the provider's sandbox.
    CodeExecutions = "code_executions",
}

/// The text is not the name of a [`Unit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a unit of usage")]
pub struct UnknownUnit;

impl Unit {
    /// The quantity for which this unit's rates are quoted.
    pub const fn per(self) -> Per {
        match self {
            Self::AudioMilliseconds
            | Self::InputAudioMilliseconds
            | Self::OutputAudioMilliseconds
            | Self::InputVideoMilliseconds
            | Self::OutputVideoMilliseconds => Per::Hour,
            _ => Per::Million,
        }
    }

    /// Whether it counts tokens.
    pub const fn is_token(self) -> bool {
        !self.is_tool() && !self.is_measure() && !matches!(self, Self::Requests)
    }

    /// Whether it counts tokens that were read from the cache.
    pub(crate) const fn is_cache_read(self) -> bool {
        matches!(
            self,
            Self::CacheReadTokens
                | Self::CacheReadAudioTokens
                | Self::CacheReadImageTokens
                | Self::CacheReadVideoTokens
        )
    }

    /// Tools are charged on top of the content; no other count stands in for them.
    pub(crate) const fn is_tool(self) -> bool {
        matches!(self, Self::WebSearches | Self::FileSearches | Self::CodeExecutions)
    }

    /// Another measure of the content than tokens.
    pub(crate) const fn is_measure(self) -> bool {
        matches!(
            self,
            Self::InputCharacters
                | Self::AudioMilliseconds
                | Self::InputAudioMilliseconds
                | Self::OutputAudioMilliseconds
                | Self::InputVideoMilliseconds
                | Self::OutputVideoMilliseconds
                | Self::Pages
                | Self::AnnotatedPages
                | Self::InputImages
                | Self::Images
                | Self::TextMessages
        )
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Unit {
    type Err = UnknownUnit;

    fn from_str(text: &str) -> Result<Self, UnknownUnit> {
        Self::ALL.iter().copied().find(|unit| unit.as_str() == text).ok_or(UnknownUnit)
    }
}
