//! What changed since a revision, as `git` tells it.

use isolint::text::Changes;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Why it is not known what changed.
#[derive(Debug)]
pub enum Wrong {
    NoGit,
    NoRepository,
    NoRevision(String),
    /// The revision and the current commit have no common past here.
    NoBase(String),
    Failed(String),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--changed-since: ")?;
        match self {
            Wrong::NoGit => write!(f, "there is no program `git`; install it, or put it on the PATH"),
            Wrong::NoRepository => write!(f, "the project is in no git repository; leave the flag out"),
            Wrong::NoRevision(name) => {
                // A branch of the remote: its name there has no `origin/` before it.
                let there = name.strip_prefix("origin/").unwrap_or(name);
                write!(f, "git knows no revision `{name}` here; check the spelling, or fetch it (`git fetch origin {there}`)")
            }
            Wrong::NoBase(name) => write!(
                f,
                "`{name}` and the current commit have no common past here; in a shallow clone fetch it (`git fetch --unshallow`)"
            ),
            Wrong::Failed(why) => write!(f, "git failed: {why}"),
        }
    }
}

/// The lines that changed between the point where the current commit and `revision` parted and the files as they are now: committed,
/// staged or not. A file that git does not know is new; one that only has another name is not changed.
pub fn changes(root: &Path, revision: &str) -> Result<Changes, Wrong> {
    let git = |words: &[&str]| git(root, words);
    if !git(&["rev-parse", "--is-inside-work-tree"])?.status.success() {
        return Err(Wrong::NoRepository);
    }
    let unknown = || Wrong::NoRevision(revision.to_owned());
    // A name that begins like a flag would be read as one.
    if revision.starts_with('-')
        || !git(&["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")])?.status.success()
    {
        return Err(unknown());
    }
    let base = git(&["merge-base", revision, "HEAD"])?;
    if !base.status.success() {
        return Err(Wrong::NoBase(revision.to_owned()));
    }
    let base = String::from_utf8_lossy(&base.stdout).trim().to_owned();
    let diff = told(git(&[
        "-c",
        "core.quotePath=false",
        "diff",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--relative",
        "--text",
        "--find-renames",
        "--unified=0",
        "--inter-hunk-context=0",
        "--src-prefix=a/",
        "--dst-prefix=b/",
        &base,
    ])?)?;
    let new = told(git(&["ls-files", "--others", "--exclude-standard", "-z"])?)?;
    let mut changes = Changes::default();
    read_diff(&diff, &mut changes);
    for path in new.split(|byte| *byte == 0).filter(|path| !path.is_empty()) {
        changes.add_file(&String::from_utf8_lossy(path));
    }
    Ok(changes)
}

fn git(root: &Path, words: &[&str]) -> Result<Output, Wrong> {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(words).stdin(Stdio::null());
    command.output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => Wrong::NoGit,
        _ => Wrong::Failed(error.to_string()),
    })
}

/// What git printed, where it did its work.
fn told(output: Output) -> Result<Vec<u8>, Wrong> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(Wrong::Failed(why.lines().next().unwrap_or("it does not say why").to_owned()))
}

/// Reads a diff without context (git documentation, "git-diff": generating patch text with -p).
fn read_diff(diff: &[u8], changes: &mut Changes) {
    let mut path = None;
    // Lines of a hunk that follow, which may look like headers.
    let mut rest = 0;
    for line in diff.split(|byte| *byte == b'\n') {
        if rest > 0 {
            rest -= u64::from(!line.starts_with(b"\\"));
            continue;
        }
        let line = String::from_utf8_lossy(line);
        if line.starts_with("diff --git ") {
            path = None;
        } else if let Some(name) = line.strip_prefix("+++ ") {
            path = unquoted(name.trim_end_matches('\t')).strip_prefix("b/").map(str::to_owned);
        } else if let (Some((old, (first, count))), Some(path)) = (hunk(&line), &path) {
            rest = u64::from(old) + u64::from(count);
            match count {
                // Only taken away: the lines on both sides of the gap.
                0 => changes.add_lines(path, first.max(1), first + 1),
                _ => changes.add_lines(path, first, first + (count - 1)),
            }
        }
    }
}

/// `@@ -a,b +c,d @@` as b and (c, d); a count of one is left out.
fn hunk(line: &str) -> Option<(u32, (u32, u32))> {
    let (old, rest) = line.strip_prefix("@@ -")?.split_once(" +")?;
    let (new, _) = rest.split_once(" @@")?;
    let pair = |text: &str| match text.split_once(',') {
        Some((first, count)) => Some((first.parse().ok()?, count.parse().ok()?)),
        None => Some((text.parse().ok()?, 1)),
    };
    let ((_, taken), put): ((u32, u32), (u32, u32)) = (pair(old)?, pair(new)?);
    Some((taken, put))
}

/// A path as git writes it: in quotes, with escapes as in C, where it holds quotes or control characters.
fn unquoted(name: &str) -> String {
    let Some(inner) = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return name.to_owned() };
    let mut bytes = Vec::new();
    let mut rest = inner.bytes().peekable();
    while let Some(byte) = rest.next() {
        match (byte, rest.peek().copied()) {
            (b'\\', Some(digit @ b'0'..=b'3')) => {
                let digits: Vec<u8> = std::iter::once(digit).chain(rest.by_ref().skip(1).take(2)).collect();
                bytes
                    .push(digits.iter().fold(0, |value: u8, digit| value.wrapping_mul(8).wrapping_add(digit.wrapping_sub(b'0'))));
            }
            (b'\\', Some(letter)) => {
                rest.next();
                bytes.push(match letter {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'a' => 7,
                    b'b' => 8,
                    b'v' => 11,
                    b'f' => 12,
                    other => other,
                });
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use isolint::text::{Kind, Source, Span};

    #[test]
    fn hunks_say_which_lines_are_new() {
        assert_eq!(hunk("@@ -3 +4,2 @@ def f():"), Some((1, (4, 2))));
        assert_eq!(hunk("@@ -3,0 +4 @@"), Some((0, (4, 1))));
        assert_eq!(hunk("@@ x"), None);
    }

    #[test]
    fn lines_that_look_like_headers_are_read_as_lines() {
        let diff = "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1 +1,2 @@\n--- a/y.py\n+++ b/y.py\n+@@ -1 +9 @@\n@@ -5,2 +5,0 @@\n-a\n-b\n\\ No newline at end of file\n";
        let mut changes = Changes::default();
        read_diff(diff.as_bytes(), &mut changes);
        let source = Source::of("x.py", Kind::Python, "0\n2\n4\n6\n8\n0\n2\n");
        let touched: Vec<bool> = (0..7).map(|line| changes.touch(&source, Span::new(line * 2, line * 2 + 1))).collect();
        assert_eq!(touched, [true, true, false, false, true, true, false]);
    }

    #[test]
    fn quoted_names() {
        assert_eq!(unquoted("b/a.py"), "b/a.py");
        assert_eq!(unquoted("\"b/a\\t\\\"\\\\\\303\\251.py\""), "b/a\t\"\\é.py");
    }
}
