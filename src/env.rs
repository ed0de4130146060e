//! The only reader of the environment. `docs/environment.md` lists what is read.
//!
//! Always true here: a variable is read when a [`Config`](crate::Config) is built; a value that is not
//! understood is logged and ignored.

/// `MILLPOND_READ_BUFFER_POOLING`: `off`, `false` or `0` keeps one read buffer for each connection; `on`,
/// `true` or `1` pools them; unset or anything else leaves the choice to code.
pub(crate) fn read_buffer_pooling() -> Option<bool> {
    read("MILLPOND_READ_BUFFER_POOLING", parse_switch)
}

/// `MILLPOND_MEMORY_BUDGET`: octets that all connections of the process may hold together; unset or anything else
/// sets no budget.
pub(crate) fn memory_budget() -> Option<usize> {
    read("MILLPOND_MEMORY_BUDGET", |value| value.parse().ok().filter(|octets| *octets > 0))
}

fn read<T>(name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    let value = std::env::var_os(name)?;
    let parsed = value.to_str().and_then(parse);
    if parsed.is_none() {
        tracing::warn!(variable = name, ?value, "value not understood, ignored");
    }
    parsed
}

fn parse_switch(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "off" | "false" | "0" => Some(false),
        "on" | "true" | "1" => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_read_in_any_case_and_nonsense_is_not() {
        for (value, expected) in [
            ("off", Some(false)),
            ("FALSE", Some(false)),
            ("0", Some(false)),
            ("On", Some(true)),
            ("true", Some(true)),
            ("1", Some(true)),
            ("", None),
            ("of", None),
            ("yes", None),
        ] {
            assert_eq!(parse_switch(value), expected, "{value:?}");
        }
    }
}
