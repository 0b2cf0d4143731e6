//! The reference of the keys for `docs/configuration.md`, made of their description.

use super::init::wrapped;
use super::keys::{Key, LOCAL, PER_PATH, RUN, WHOLE};
use std::fmt::Write;

/// Columns of a page.
const WIDTH: usize = 132;

/// All keys with type, default, meaning and example, in Markdown.
pub fn manual() -> String {
    let mut page = String::new();
    page.push_str("## Keys for any place\n\nThey may stand in a nested configuration too.\n\n");
    keys(&mut page, LOCAL, "###");
    page.push_str("### Keys of an entry of `per-path`\n\n");
    keys(&mut page, PER_PATH, "####");
    page.push_str("## Keys for the whole project\n\nThey stand in the configuration of the project's root; in a nested one they are an error.\n\n");
    keys(&mut page, WHOLE, "###");
    page.push_str("### Keys of a `run`\n\n");
    keys(&mut page, RUN, "####");
    page
}

fn keys<T>(page: &mut String, keys: &[Key<T>], level: &str) {
    for key in keys {
        let form = key.kind.form();
        let facts = format!("Type: {}. Default: {}.", form.ty, key.default);
        let _ = writeln!(page, "{level} `{}`\n\n{}\n{}", key.name, wrapped(key.text, "", WIDTH), wrapped(&facts, "", WIDTH));
        let _ = writeln!(page, "```toml\n{}\n```\n", key.example);
    }
}
