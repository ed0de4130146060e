//! Extensible priorities: the value of the `priority` field and of PRIORITY_UPDATE (RFC 9218 §4, §5, §7).
//!
//! Always true here: urgency is 0 to 7; parameters that are unknown, out of range or of another type are
//! ignored (RFC 9218 §4), so a value either parses as a structured-field dictionary or is ignored whole.

/// How soon, and in which manner, a response should be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Priority {
    /// 0, the most urgent, to 7 (RFC 9218 §4.1).
    pub(crate) urgency: u8,
    /// Whether the response is useful in parts, so that equals share the connection (RFC 9218 §4.2).
    pub(crate) incremental: bool,
}

impl Priority {
    /// What a request without any signal gets: middle urgency, sharing the connection with its equals. RFC
    /// 9218 §4.2 leaves the order to the server where no signal was given; a fair share suits RPC.
    pub(crate) const UNSIGNALLED: Priority = Priority { urgency: 3, incremental: true };

    /// Parses a priority field value; `None` when it is no dictionary at all.
    pub(crate) fn parse(value: &[u8]) -> Option<Priority> {
        let text = std::str::from_utf8(value).ok()?;
        let mut priority = Priority { urgency: 3, incremental: false };
        for member in members(text) {
            // Parameters of a member (";x=y") carry nothing that RFC 9218 defines.
            let member = member.split(';').next().unwrap_or_default().trim_matches([' ', '\t']);
            let (key, value) = match member.split_once('=') {
                Some((key, value)) => (key, Some(value)),
                None => (member, None),
            };
            let mut octets = key.bytes();
            if !octets.next().is_some_and(|first| first.is_ascii_lowercase() || first == b'*')
                || !octets.all(|octet| {
                    octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"_-.*".contains(&octet)
                })
            {
                if text.trim_matches([' ', '\t']).is_empty() {
                    break;
                }
                return None;
            }
            match (key, value) {
                ("u", Some(value)) => match value.parse::<u8>() {
                    Ok(urgency @ 0..=7) if value.len() == 1 => priority.urgency = urgency,
                    _ => {}
                },
                ("i", None | Some("?1")) => priority.incremental = true,
                ("i", Some("?0")) => priority.incremental = false,
                _ => {}
            }
        }
        Some(priority)
    }
}

/// The members of a dictionary: split at commas, but not within strings (RFC 8941 §3.2, §3.3.3).
fn members(text: &str) -> impl Iterator<Item = &str> {
    let (mut in_string, mut escaped) = (false, false);
    text.split(move |character| {
        match character {
            '"' if !escaped => in_string = !in_string,
            ',' if !in_string => return true,
            _ => {}
        }
        escaped = in_string && character == '\\' && !escaped;
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(value: &str) -> Option<(u8, bool)> {
        Priority::parse(value.as_bytes()).map(|priority| (priority.urgency, priority.incremental))
    }

    #[test]
    fn values_of_the_rfc() {
        assert_eq!(parsed("u=5, i"), Some((5, true)));
        assert_eq!(parsed("u=0"), Some((0, false)));
        assert_eq!(parsed("i=?1"), Some((3, true)));
        assert_eq!(parsed("i=?0,u=7"), Some((7, false)));
        assert_eq!(parsed(""), Some((3, false)));
        assert_eq!(parsed("u=2;x=1, foo=bar, i;y"), Some((2, true)));
        assert_eq!(parsed(r#"u=1, foo="a,b;u=6\",i=?0", i"#), Some((1, true)));
    }

    #[test]
    fn out_of_range_and_unknown_members_are_ignored_and_nonsense_is_refused() {
        assert_eq!(parsed("u=8"), Some((3, false)));
        assert_eq!(parsed("u=-1"), Some((3, false)));
        assert_eq!(parsed("u=+1"), Some((3, false)));
        assert_eq!(parsed("u=\"1\""), Some((3, false)));
        assert_eq!(parsed("u=1,,i"), None);
        assert_eq!(parsed("U=1"), None);
        assert_eq!(Priority::parse(&[0xff]), None);
    }
}
