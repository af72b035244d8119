//! The owned twins: one allocation each, cheap to clone.

use alloc::string::String;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

#[cfg(not(target_has_atomic = "ptr"))]
use alloc::rc::Rc as Shared;
#[cfg(target_has_atomic = "ptr")]
use alloc::sync::Arc as Shared;

use crate::channel::Channel;
use crate::dialect::{Dialect, Form};
use crate::error::Error;
use crate::filter::Filter;
use crate::level::{Level, Subtopic, Syntax};
use crate::print::Printed;
use crate::scan::Tail;
use crate::topic::Topic;

/// Domain, id and decoded levels one after the other, the levels with slashes between them.
#[derive(Clone, PartialEq, Eq)]
struct Text {
    dialect: Dialect,
    domain_len: u16,
    id_len: u16,
    tail: Tail,
    text: Shared<str>,
}

impl Text {
    fn new<'a>(channel: Channel<'_>, levels: impl Iterator<Item = Level<'a>>, tail: Tail) -> Self {
        let (domain, id) = (channel.domain_text(), channel.id());
        let mut text = String::with_capacity(domain.len() + id.len() + 32);
        text.push_str(domain);
        text.push_str(id);
        let mut separator = "";
        for level in levels {
            text.push_str(separator);
            match level.as_str() {
                _ if level.is_one() => text.push('*'),
                Some(level) => text.push_str(level),
                None => text.extend(level.chars()),
            }
            separator = "/";
        }
        // An address has at most 65,535 bytes, and so have its parts.
        let domain_len = u16::try_from(domain.len()).unwrap_or(u16::MAX);
        let id_len = u16::try_from(id.len()).unwrap_or(u16::MAX);
        Self {
            dialect: channel.dialect(),
            domain_len,
            id_len,
            tail,
            text: text.into(),
        }
    }

    fn parts(&self) -> (Channel<'_>, &str) {
        let cut = |text, length: u16| str::split_at_checked(text, length.into()).unwrap_or((text, ""));
        let (domain, rest) = cut(&self.text, self.domain_len);
        let (id, subtopic) = cut(rest, self.id_len);
        (Channel::known(self.dialect, domain, id), subtopic)
    }
}

/// An owned [`Channel`]; cloning it allocates nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct ChannelBuf(Text);

/// An owned [`Topic`]; cloning it allocates nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct TopicBuf(Text);

/// An owned [`Filter`]; cloning it allocates nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct FilterBuf(Text);

impl ChannelBuf {
    /// As [`Channel::new`].
    pub fn new(dialect: Dialect, domain: Option<&str>, id: &str) -> Result<Self, Error> {
        Channel::new(dialect, domain, id).map(|channel| channel.to_buf())
    }

    /// The channel, borrowed.
    pub fn as_channel(&self) -> Channel<'_> {
        self.0.parts().0
    }

    /// Which generation of the platform it is a channel of.
    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// The id or route of its domain, in the dialects that have domains.
    pub fn domain(&self) -> Option<&str> {
        self.as_channel().domain()
    }

    /// Its id, or its route.
    pub fn id(&self) -> &str {
        self.as_channel().id()
    }
}

impl Channel<'_> {
    /// An owned copy.
    pub fn to_buf(&self) -> ChannelBuf {
        ChannelBuf(Text::new(*self, core::iter::empty(), Tail::Exact))
    }
}

impl TopicBuf {
    /// How many bytes its text holds, for those who account for memory.
    pub fn text_len(&self) -> usize {
        self.0.text.len()
    }

    /// As [`Topic::parse`].
    pub fn parse(dialect: Dialect, form: Form, text: &str) -> Result<Self, Error> {
        Topic::parse(dialect, form, text).map(|topic| topic.to_buf())
    }

    /// As [`Topic::new`].
    pub fn new(channel: Channel<'_>, subtopic: &str) -> Result<Self, Error> {
        Topic::new(channel, subtopic).map(|topic| topic.to_buf())
    }

    /// The topic, borrowed.
    pub fn as_topic(&self) -> Topic<'_> {
        let (channel, subtopic) = self.0.parts();
        Topic::known(channel, subtopic, Syntax::CANONICAL)
    }

    /// The channel.
    pub fn channel(&self) -> Channel<'_> {
        self.0.parts().0
    }

    /// The subtopic, which may be empty.
    pub fn subtopic(&self) -> Subtopic<'_> {
        self.as_topic().subtopic()
    }

    /// As [`Topic::display`].
    pub fn display(&self, form: Form) -> Result<Printed<'_>, Error> {
        self.as_topic().display(form)
    }
}

impl Topic<'_> {
    /// An owned copy, decoded.
    pub fn to_buf(&self) -> TopicBuf {
        TopicBuf(Text::new(self.channel(), self.levels(), Tail::Exact))
    }
}

impl FilterBuf {
    /// How many bytes its text holds, for those who account for memory.
    pub fn text_len(&self) -> usize {
        self.0.text.len()
    }

    /// As [`Filter::parse`].
    pub fn parse(dialect: Dialect, form: Form, text: &str) -> Result<Self, Error> {
        Filter::parse(dialect, form, text).map(|filter| filter.to_buf())
    }

    /// As [`Filter::new`].
    pub fn new(channel: Channel<'_>, subtopic: &str) -> Result<Self, Error> {
        Filter::new(channel, subtopic).map(|filter| filter.to_buf())
    }

    /// The filter, borrowed.
    pub fn as_filter(&self) -> Filter<'_> {
        let (channel, subtopic) = self.0.parts();
        Filter::known(channel, subtopic, Syntax::CANONICAL, self.0.tail)
    }

    /// The channel.
    pub fn channel(&self) -> Channel<'_> {
        self.0.parts().0
    }

    /// As [`Filter::matches`].
    pub fn matches(&self, topic: Topic<'_>) -> bool {
        self.as_filter().matches(topic)
    }

    /// As [`Filter::display`].
    pub fn display(&self, form: Form) -> Result<Printed<'_>, Error> {
        self.as_filter().display(form)
    }
}

impl Filter<'_> {
    /// An owned copy, decoded.
    pub fn to_buf(&self) -> FilterBuf {
        FilterBuf(Text::new(self.channel(), self.body(), self.tail()))
    }
}

impl From<&TopicBuf> for FilterBuf {
    fn from(topic: &TopicBuf) -> Self {
        Self(topic.0.clone())
    }
}

/// Order, hash and debugging text of an owned twin are those of the borrowed one.
macro_rules! as_borrowed {
    ($owned:ty, $borrow:ident) => {
        impl Ord for $owned {
            fn cmp(&self, other: &Self) -> Ordering {
                self.$borrow().cmp(&other.$borrow())
            }
        }

        impl PartialOrd for $owned {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Hash for $owned {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.$borrow().hash(state);
            }
        }

        impl fmt::Debug for $owned {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.$borrow().fmt(formatter)
            }
        }
    };
}

as_borrowed!(ChannelBuf, as_channel);
as_borrowed!(TopicBuf, as_topic);
as_borrowed!(FilterBuf, as_filter);
