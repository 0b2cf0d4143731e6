//! tox's environments: sections of INI and tables of TOML, and which lines hold for an environment by the factors of its name.
//!
//! tox documentation, "Configuration" and "Generative environments, conditional settings".

use super::ini::{self, Ini, Section};
use super::recipes::{Recipe, Tool, command_line, fill};
use super::script::Script;
use super::toml::Item;
use super::tree;
use std::rc::Rc;

/// Names that one text may stand for.
const NAMES: usize = 64;
/// Sections that a section names as its base, one after the other.
const BASES: usize = 4;

/// Where the lines of a recipe stand that depend on the name of the environment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    ini: Rc<Ini>,
    section: usize,
}

/// Sections `testenv` and `testenv:NAME`.
pub fn ini(ini: Ini, home: &str, all: &mut Vec<Recipe>) {
    let first = all.len();
    let ini = Rc::new(ini);
    for (section, found) in ini.sections.iter().enumerate() {
        let Some(rest) = found.name.strip_prefix("testenv") else { continue };
        let Some(name) = rest.strip_prefix(':').or(rest.is_empty().then_some("")) else { continue };
        let mut recipe = Recipe::new(Tool::Tox, name.trim(), found.place, home);
        let origin = Origin { ini: ini.clone(), section };
        origin.fill_in(&mut recipe, None);
        recipe.origin = Some(origin);
        all.push(recipe);
    }
    let list = ini.section("tox").and_then(|tox| tox.get("env_list").or_else(|| tox.get("envlist")));
    let lines = list.map(|list| ini::lines(&list.value));
    listed(lines.map(|lines| lines.iter().map(|line| line.text.clone()).collect()), &mut all[first..]);
    // What plugins choose on GitHub, by the interpreter: of tox-gh-actions factors, of tox-gh names.
    let mapped = ["gh-actions", "gh"].into_iter().find_map(|name| ini.section(name)?.get("python"));
    if let Some(mapped) = mapped {
        let choice = |line: &Script| Some(line.text.split_once([':', '='])?.1.trim().to_owned());
        let chosen: Vec<String> = ini::lines(&mapped.value).iter().filter_map(choice).collect();
        for recipe in &mut all[first..] {
            recipe.listed.retain(|name| chosen.iter().any(|factors| holds(factors, name)));
            recipe.default &= !recipe.listed.is_empty();
        }
    }
}

/// The recipe of a section as one of its environments has it.
pub fn environment(recipe: &Recipe, name: &str) -> Recipe {
    let mut own = recipe.clone();
    if let Some(origin) = &recipe.origin {
        origin.fill_in(&mut own, Some(name));
    }
    own
}

impl Origin {
    /// The settings that hold for an environment; all lines where its name is not known.
    fn fill_in(&self, recipe: &mut Recipe, name: Option<&str>) {
        let Some(section) = self.ini.sections.get(self.section) else { return };
        let chain = self.chain(section);
        let find = |keys: [&str; 2]| {
            let setting = chain.iter().find_map(|section| keys.iter().find_map(|key| section.get(key)));
            setting.map(|setting| holding(&setting.value, name))
        };
        recipe.scripts.clear();
        for key in ["commands_pre", "commands", "commands_post"] {
            for line in joined(find([key, key]).unwrap_or_default()) {
                self.references(&line, name, 0, &mut recipe.scripts);
            }
        }
        recipe.env.clear();
        let mut lines = Vec::new();
        for line in find(["set_env", "setenv"]).unwrap_or_default() {
            self.references(&line, name, 0, &mut lines);
        }
        for line in &lines {
            if let Some(split) = line.text.find('=') {
                let variable = line.text[..split].trim().to_owned();
                recipe.env.push((variable, Some(line.slice(split + 1..line.text.len()).trim())));
            }
        }
        let mut lines = Vec::new();
        for line in find(["pass_env", "passenv"]).unwrap_or_default() {
            self.references(&line, name, 0, &mut lines);
        }
        let names = lines.iter().flat_map(|line| line.text.split([',', ' ', '\t'])).map(str::trim);
        recipe.pass = Some(names.filter(|name| !name.is_empty()).map(str::to_owned).collect());
        if let Some(dir) = find(["change_dir", "changedir"]).and_then(|lines| lines.into_iter().next()) {
            recipe.dir = tree::join(&recipe.home, fill(&dir).text.trim()).unwrap_or_else(|| recipe.home.clone());
        }
    }

    /// The section and those that it takes from: `base`, or `testenv` where it names none.
    fn chain<'a>(&'a self, section: &'a Section) -> Vec<&'a Section> {
        let mut all = vec![section];
        while all.len() < BASES
            && let Some(base) = all.last().and_then(|last| last.get("base"))
            && let Some(next) = ini::lines(&base.value).first().and_then(|line| self.ini.section(line.text.trim()))
        {
            all.push(next);
        }
        if section.get("base").is_none() {
            all.extend(self.ini.section("testenv"));
        }
        all
    }

    /// A line, or the lines of the setting that `{[section]key}` names.
    fn references(&self, line: &Script, name: Option<&str>, depth: u32, all: &mut Vec<Script>) {
        // Sixty-four lines and three steps: more is a trap, not a project.
        if depth > 3 || all.len() > NAMES {
            return;
        }
        if let Some((section, key)) =
            line.text.strip_prefix("{[").and_then(|rest| rest.strip_suffix('}')).and_then(|rest| rest.split_once(']'))
            && let Some(setting) = self.ini.section(section).and_then(|section| section.get(key))
        {
            for inner in joined(holding(&setting.value, name)) {
                self.references(&inner, name, depth + 1, all);
            }
            return;
        }
        all.push(fill(line));
    }
}

/// The lines of a setting that hold for an environment, without their conditions.
fn holding(value: &Script, name: Option<&str>) -> Vec<Script> {
    let mut kept = Vec::new();
    for line in ini::lines(value) {
        let (condition, from) = condition(&line.text);
        if condition.is_none_or(|condition| name.is_none_or(|name| holds(condition, name))) {
            kept.push(line.slice(from..line.text.len()));
        }
    }
    kept
}

/// `py38,!lint: `: the condition before a line, and where the line begins.
fn condition(text: &str) -> (Option<&str>, usize) {
    let Some(colon) = text.find(": ").or_else(|| text.find(":\t")) else { return (None, 0) };
    let condition = &text[..colon];
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '{' | '}' | '!');
    if !condition.split(',').map(str::trim).all(|one| !one.is_empty() && one.chars().all(part)) {
        return (None, 0);
    }
    let from = colon + 1 + (text[colon + 1..].len() - text[colon + 1..].trim_start().len());
    (Some(condition), from)
}

/// Any of the alternatives, each of which asks for factors of the name, or for their absence behind `!`.
fn holds(condition: &str, name: &str) -> bool {
    // The platform is a factor too; tests of CI run on Linux, as far as workers go.
    let factors = || name.split('-').chain(["linux"]);
    generated(condition).iter().any(|one| {
        one.split('-').all(|factor| match factor.strip_prefix('!') {
            Some(absent) => factors().all(|own| own != absent),
            None => factors().any(|own| own == factor),
        })
    })
}

/// The commands of a setting: one a line, `\` at its end joins, `-` taken off.
fn joined(lines: Vec<Script>) -> Vec<Script> {
    let mut all: Vec<Script> = Vec::new();
    let mut open = false;
    for line in lines {
        let continued = line.text.ends_with('\\');
        let part = line.slice(0..line.text.len() - usize::from(continued));
        match all.last_mut() {
            Some(last) if open => {
                if let Some((file, span)) = part.whole() {
                    last.push_as(file, span.start as usize..span.start as usize, " ");
                }
                last.append(&part, 0..part.text.len());
            }
            _ => all.push(part),
        }
        open = continued;
    }
    all.iter().map(without_marks).collect()
}

fn without_marks(line: &Script) -> Script {
    let text = &line.text;
    let start = text.len() - text.trim_start_matches(['-', '!', '@', ' ', '\t']).len();
    line.slice(start..text.len())
}

/// What a plain `tox` runs: the environments of its list, the base standing for those without a section of their own.
fn listed(list: Option<Vec<String>>, recipes: &mut [Recipe]) {
    let Some(list) = list else { return };
    let names: Vec<String> = list.iter().flat_map(|line| generated(line)).filter(|name| !name.is_empty()).collect();
    let own: Vec<Vec<String>> = recipes.iter().map(|recipe| generated(&recipe.name)).collect();
    for (recipe, mine) in recipes.iter_mut().zip(&own) {
        let is_mine = |name: &&String| match recipe.name.is_empty() {
            true => !own.iter().any(|other| other.contains(name)),
            false => mine.contains(name),
        };
        recipe.listed = names.iter().filter(is_mine).cloned().collect();
        recipe.default = !recipe.listed.is_empty();
    }
}

/// `env_run_base` and the tables of `env`.
pub fn toml(list: Option<Item>, base: Option<Item>, envs: Option<Item>, home: &str, all: &mut Vec<Recipe>) {
    let first = all.len();
    let named = envs.map(Item::entries).unwrap_or_default();
    let base_entry = base.map(|item| ("", item.place(), item));
    for (name, place, item) in base_entry.into_iter().chain(named) {
        let find = |key: &str| item.at(&[key]).or_else(|| base.and_then(|base| base.at(&[key])));
        let mut recipe = Recipe::new(Tool::Tox, name, place, home);
        for key in ["commands_pre", "commands", "commands_post"] {
            for command in find(key).map(Item::list).unwrap_or_default() {
                recipe.scripts.extend(command_line(command));
            }
        }
        for table in [base, Some(item)].into_iter().flatten() {
            for (key, _, value) in table.at(&["set_env"]).map(Item::entries).unwrap_or_default() {
                recipe.env.push((key.to_owned(), value.script()));
            }
        }
        recipe.pass = Some(find("pass_env").map(Item::words).unwrap_or_default());
        if let Some(dir) = find("change_dir").and_then(Item::script) {
            recipe.dir = tree::join(home, &fill(&dir).text).unwrap_or_else(|| home.to_owned());
        }
        all.push(recipe);
    }
    listed(list.map(Item::words), &mut all[first..]);
}

/// tox's names: `py{38,39}-{a,b}` are four, `a,b` are two. At most sixty-four.
pub fn generated(name: &str) -> Vec<String> {
    let mut done: Vec<String> = Vec::new();
    let mut open = vec![name.to_owned()];
    while let Some(name) = open.pop() {
        if done.len() + open.len() > NAMES {
            break;
        }
        let Some((head, rest)) = name.split_once('{') else {
            done.extend(name.split(',').map(|part| part.trim().to_owned()));
            continue;
        };
        let Some((inner, tail)) = rest.split_once('}') else {
            done.push(name);
            continue;
        };
        for option in inner.split(',').take(NAMES) {
            for value in range(option.trim()) {
                open.push(format!("{head}{value}{tail}"));
            }
        }
    }
    done
}

/// `310-313` in braces: the numbers from one to the other.
fn range(option: &str) -> Vec<String> {
    let ends = option.split_once('-').and_then(|(from, to)| Some((from.parse::<u32>().ok()?, to.parse::<u32>().ok()?)));
    match ends {
        Some((from, to)) if from <= to => (from..=to).take(NAMES).map(|number| number.to_string()).collect(),
        _ => vec![option.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::FileId;

    fn read(text: &str) -> Vec<Recipe> {
        let mut all = Vec::new();
        ini(Ini::parse(FileId(0), text), "", &mut all);
        all
    }

    fn lines(recipe: &Recipe) -> Vec<&str> {
        recipe.scripts.iter().map(|script| script.text.as_str()).collect()
    }

    #[test]
    fn names_of_environments() {
        assert_eq!(generated("lint"), ["lint"]);
        let mut names = generated("py{38,39}-{a,b}");
        names.sort();
        assert_eq!(names, ["py38-a", "py38-b", "py39-a", "py39-b"]);
        assert_eq!(generated("a, b"), ["a", "b"]);
        assert_eq!(generated("a{"), ["a{"]);
        assert_eq!(generated("py3{10-12}").len(), 3);
        assert!(generated(&"{a,b}".repeat(60)).len() <= 64);
    }

    #[test]
    fn factors_decide() {
        for (condition, name, wanted) in [
            ("py38", "py38", true),
            ("py38", "py38-x", true),
            ("py38", "py39", false),
            ("py38,py39", "py39-x", true),
            ("py{38,39}", "py39", true),
            ("py38-x", "py38", false),
            ("!py38", "py39", true),
            ("!py38-x", "py39-x", true),
            ("!py38", "py38", false),
            ("win32", "py38", false),
            ("linux", "py38", true),
        ] {
            assert_eq!(holds(condition, name), wanted, "{condition} {name}");
        }
        for line in ["pytest -k a: b", "echo: x y: z", ": x", "a b, c: x"] {
            assert!(condition(line).0.is_none_or(|condition| condition == "echo"), "{line}");
        }
    }

    #[test]
    fn lines_of_an_environment() {
        let text = "[tox]\nenvlist = py{38,39}-{unit,all}, lint\n[testenv]\npassenv =\n  CI\n  unit: N\nsetenv =\n  unit: A = 1\n  {[more]env}\n\
             commands =\n  unit: pytest \\\n    unit-py39: -n auto \\\n    unit: tests\n  all: pytest all\n[testenv:lint]\ncommands = ruff\n\
             [testenv:slow]\nbase = testenv:lint\n[more]\nenv =\n  B = 2\n";
        let all = read(text);
        assert_eq!(all[0].listed.len(), 4);
        assert_eq!(lines(&environment(&all[0], "py38-unit")), ["pytest  tests"]);
        assert_eq!(lines(&environment(&all[0], "py39-unit")), ["pytest  -n auto  tests"]);
        assert_eq!(lines(&environment(&all[0], "py39-all")), ["pytest all"]);
        assert_eq!(lines(&all[0]).len(), 2);
        assert_eq!(lines(&all[2]), ["ruff"]);
        let unit = environment(&all[0], "py38-unit");
        assert_eq!((unit.pass.unwrap(), unit.env.len()), (vec!["CI".to_owned(), "N".to_owned()], 2));
        let of_all = environment(&all[0], "py38-all");
        assert_eq!((of_all.pass.unwrap(), of_all.env[0].0.as_str()), (vec!["CI".to_owned()], "B"));
    }

    #[test]
    fn plugins_choose_on_github() {
        let text =
            "[tox]\nenvlist = {py38,py39}-{unit,slow}\n[testenv]\ncommands = pytest\n[gh-actions]\npython =\n  3.8: py38-unit\n";
        assert_eq!(read(text)[0].listed, ["py38-unit"]);
    }

    #[test]
    fn circles_end() {
        read("[testenv]\nbase = testenv\ncommands = {[testenv]commands}\nsetenv = {[testenv]setenv}\n");
    }
}
