//! Format strings: the grammar of the `std::fmt` module documentation, "Syntax".

/// A piece of a format string.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    Literal(String),
    /// `{}` and `{0}`: a positional argument, counted from 0.
    Index(usize),
    /// `{name}`: a named argument, or a name in scope.
    Name(String),
}

/// The parts of a format string; widths and precisions are no parts. Broken holes end the text.
pub fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut next = 0;
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        literal.push_str(&rest[..at]);
        let mark = &rest[at..at + 1];
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix(mark) {
            literal.push_str(mark);
            rest = behind;
            continue;
        }
        if mark == "}" {
            continue;
        }
        let Some(end) = rest.find('}') else { break };
        let hole = &rest[..end];
        rest = &rest[end + 1..];
        let (argument, spec) = hole.split_once(':').unwrap_or((hole, ""));
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
        }
        // `{:.*}` takes its precision from the arguments first.
        if spec.contains(".*") {
            next += 1;
        }
        let argument = argument.trim();
        parts.push(if argument.is_empty() {
            next += 1;
            Part::Index(next - 1)
        } else if let Ok(index) = argument.parse() {
            Part::Index(index)
        } else {
            Part::Name(argument.strip_prefix("r#").unwrap_or(argument).to_owned())
        });
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lit(text: &str) -> Part {
        Part::Literal(text.to_owned())
    }

    #[test]
    fn holes_of_each_kind() {
        assert_eq!(
            parts("{dir}/x-{}.{:>8} {1:?}"),
            [Part::Name("dir".into()), lit("/x-"), Part::Index(0), lit("."), Part::Index(1), lit(" "), Part::Index(1)]
        );
        assert_eq!(parts("{:.*} {}"), [Part::Index(1), lit(" "), Part::Index(2)]);
    }

    #[test]
    fn doubled_braces_are_text() {
        assert_eq!(parts("{{é}} {}"), [lit("{é} "), Part::Index(0)]);
        assert_eq!(parts(""), []);
    }

    #[test]
    fn broken_text_gives_what_can_be_read() {
        assert_eq!(parts("a}b{"), [lit("ab")]);
        assert_eq!(parts("{é"), [lit("é")]);
    }
}
