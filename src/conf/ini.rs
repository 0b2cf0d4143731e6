//! INI files by the rules of Python's `configparser`, with the byte span of every name and value.
//!
//! As pytest, tox and setuptools read them: `=` or `:` after the key, deeper indented lines continue a value, `#` and `;` start
//! comments on lines of their own, a key without value is allowed, `%` stands for itself (Python documentation, "configparser",
//! "Supported INI File Structure"). Duplicates are kept; questions answer with the last.

use super::script::Script;
use crate::text::{FileId, Span};

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ini {
    pub sections: Vec<Section>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    pub name: String,
    /// The header with its brackets.
    pub place: (FileId, Span),
    pub settings: Vec<Setting>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// As written; `configparser` compares keys in lower case.
    pub key: String,
    pub place: (FileId, Span),
    /// Lines without their indentation, blank lines at the end dropped.
    pub value: Script,
}

impl Ini {
    pub fn parse(file: FileId, text: &str) -> Ini {
        Ini::of(&Script::verbatim(file, 0, text))
    }

    /// Reads an INI text that may itself stand inside another file. Lines that make no sense are left out.
    pub fn of(script: &Script) -> Ini {
        let mut ini = Ini::default();
        let mut at = 0;
        // The indentation of the key that a deeper line would continue.
        let mut open: Option<usize> = None;
        for line in script.text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            let content = line.trim_end();
            let body = content.trim_start();
            let indent = content.len() - body.len();
            let from = start + indent;
            let Some(section) = ini.sections.last_mut() else {
                if let Some(section) = header(script, body, from) {
                    ini.sections.push(section);
                }
                continue;
            };
            if body.starts_with(['#', ';']) {
                continue;
            }
            if let (Some(depth), Some(setting)) = (open, section.settings.last_mut())
                && (body.is_empty() || indent > depth)
            {
                // Blank lines belong to the value where more of it follows; `finish` drops them at the end.
                let end = setting.value.text.len();
                let anchor = setting.value.place(end.saturating_sub(1)..end).map_or(setting.place, |place| place);
                setting.value.push_as(anchor.0, anchor.1.end as usize..anchor.1.end as usize, "\n");
                setting.value.append(script, from..start + content.len());
                continue;
            }
            if body.is_empty() {
                continue;
            }
            if let Some(section) = header(script, body, from) {
                ini.sections.push(section);
                open = None;
                continue;
            }
            let split = body.find(['=', ':']);
            let name = split.map_or(body, |n| &body[..n]).trim_end();
            let Some(place) = script.place(from..from + name.len()).filter(|_| !name.is_empty()) else {
                open = None;
                continue;
            };
            let value = split.map_or(Script::default(), |n| {
                let rest = &body[n + 1..];
                let lead = rest.len() - rest.trim_start().len();
                script.slice(from + n + 1 + lead..start + content.len())
            });
            section.settings.push(Setting { key: name.to_owned(), place, value });
            open = Some(indent);
        }
        for setting in ini.sections.iter_mut().flat_map(|section| &mut section.settings) {
            let end = setting.value.text.trim_end().len();
            setting.value = setting.value.slice(0..end);
        }
        ini
    }

    /// The last section of that name.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().rev().find(|section| section.name == name)
    }
}

impl Section {
    /// The last setting of that name, in any case.
    pub fn get(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().rev().find(|setting| setting.key.eq_ignore_ascii_case(key))
    }
}

/// `[name]`, perhaps with more behind it; `body` starts at byte `from` of the script.
fn header(script: &Script, body: &str, from: usize) -> Option<Section> {
    let end = body.strip_prefix('[')?.rfind(']')? + 1;
    let place = script.place(from..from + end + 1)?;
    Some(Section { name: body[1..end].to_owned(), place, settings: Vec::new() })
}

/// The lines of a value, blank ones and comments left out, each with its places.
pub fn lines(value: &Script) -> Vec<Script> {
    let mut all = Vec::new();
    let mut at = 0;
    for line in value.text.split_inclusive('\n') {
        let line_script = value.slice(at..at + line.len()).trim();
        at += line.len();
        if !line_script.text.is_empty() && !line_script.text.starts_with(['#', ';']) {
            all.push(line_script);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: FileId = FileId(0);

    fn at(text: &str, needle: &str) -> Span {
        let start = text.find(needle).unwrap();
        Span::new(start, start + needle.len())
    }

    #[test]
    fn sections_keys_and_values_have_spans() {
        let text = "[pytest]\naddopts = -n 4  \nTestPaths: tests\n";
        let ini = Ini::parse(FILE, text);
        let section = ini.section("pytest").unwrap();
        assert_eq!(section.place, (FILE, Span::new(0, 8)));
        let addopts = section.get("addopts").unwrap();
        assert_eq!(addopts.place.1, at(text, "addopts"));
        assert_eq!(addopts.value.text, "-n 4");
        assert_eq!(addopts.value.whole(), Some((FILE, at(text, "-n 4"))));
        assert_eq!(section.get("testpaths").unwrap().value.text, "tests");
    }

    #[test]
    fn deeper_lines_continue_the_value() {
        let text = "[tox]\nenvlist =\n    py39\n    # old: py38\n\n    lint\nskip = true\n";
        let ini = Ini::parse(FILE, text);
        let section = ini.section("tox").unwrap();
        let envlist = section.get("envlist").unwrap();
        assert_eq!(envlist.value.text, "\npy39\n\nlint");
        let lines = lines(&envlist.value);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1].whole(), Some((FILE, at(text, "lint"))));
        assert_eq!(section.get("skip").unwrap().value.text, "true");
    }

    #[test]
    fn duplicates_are_kept_and_the_last_answers() {
        let ini = Ini::parse(FILE, "[a]\nx=1\nx=2\n[b]\n[a]\nx=3\n");
        assert_eq!(ini.sections.len(), 3);
        assert_eq!(ini.sections[0].get("X").unwrap().value.text, "2");
        assert_eq!(ini.section("a").unwrap().get("x").unwrap().value.text, "3");
    }

    #[test]
    fn percent_and_inner_marks_stand_for_themselves() {
        let ini = Ini::parse(FILE, "[a]\nfmt = %(x)s # no comment ; here\nbare\nurl = http://a:b=c\n");
        assert_eq!(ini.sections[0].get("fmt").unwrap().value.text, "%(x)s # no comment ; here");
        assert_eq!(ini.sections[0].get("bare").unwrap().value.text, "");
        assert_eq!(ini.sections[0].get("url").unwrap().value.text, "http://a:b=c");
    }

    #[test]
    fn lines_before_the_first_section_and_crlf() {
        let text = "stray = 1\r\n[a]\r\nx =\r\n  1\r\n  2\r\n";
        let ini = Ini::parse(FILE, text);
        assert_eq!(ini.sections.len(), 1);
        assert_eq!(ini.sections[0].get("x").unwrap().value.text, "\n1\n2");
    }

    #[test]
    fn an_ini_inside_another_text_keeps_the_outer_places() {
        let mut script = Script::default();
        script.push(FileId(5), 1000, "[testenv]\n");
        script.push(FileId(5), 2000, "commands = pytest -n 4\n");
        let ini = Ini::of(&script);
        let value = &ini.section("testenv").unwrap().get("commands").unwrap().value;
        assert_eq!(value.place(7..11), Some((FileId(5), Span::new(2018, 2022))));
    }

    #[test]
    fn broken_text_is_survived() {
        for text in ["", "[", "[]", "[a", "=", "[a]\n=x\n  y\n", "[a]\n  :\n", "[a]\n\u{feff}é = ü\n  ß", "[a]\nx\n\n\n  y"] {
            Ini::parse(FILE, text);
        }
    }
}
