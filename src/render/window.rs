//! The piece of a source line that is shown: sanitised, with tabs as spaces, and cut around a span where it is long.

use super::sanitized::{Shown, TAB, columns, shown};
use std::ops::Range;

/// A piece of one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Window {
    /// One line without a line end; holds no control character.
    pub text: String,
    /// For each character of the source in the window: its byte offset in the source, and its first character in `text`. One more
    /// stands for the end. Both ascend.
    marks: Vec<(usize, usize)>,
}

impl Window {
    /// Cuts `line` (bytes of `text`, without the line end) around `span`, which starts in it, to about `limit` columns.
    pub fn new(text: &str, line: Range<usize>, span: Range<usize>, limit: usize) -> Window {
        let start = span.start.clamp(line.start, line.end);
        let end = span.end.clamp(start, line.end);
        let kept = keep(text, line.clone(), start..end, limit);
        let mut window = Window { text: String::new(), marks: Vec::new() };
        // In characters of `text`, which for tabs is near enough to columns.
        let mut count = 0;
        if kept.start > line.start {
            window.text.push('…');
            count += 1;
        }
        for (offset, c) in text.get(kept.clone()).unwrap_or("").char_indices() {
            window.marks.push((kept.start + offset, count));
            match shown(c) {
                Shown::Same => {
                    window.text.push(c);
                    count += 1;
                }
                Shown::As(other) => {
                    window.text.push(other);
                    count += 1;
                }
                Shown::Tab => {
                    let width = TAB - count % TAB;
                    window.text.extend(std::iter::repeat_n(' ', width));
                    count += width;
                }
                Shown::Escape => {
                    let escape = c.escape_unicode();
                    count += escape.len();
                    window.text.extend(escape);
                }
            }
        }
        window.marks.push((kept.end, count));
        if kept.end < line.end {
            window.text.push('…');
        }
        window
    }

    /// Characters of [`Window::text`] that show a span, never none: an empty span, and one at the line's end, takes one character,
    /// which may be the one after the text. None where the span starts outside the window.
    pub fn find(&self, span: Range<usize>) -> Option<Range<usize>> {
        let (first, last) = (self.marks.first()?.0, self.marks.last()?.0);
        if span.start < first || span.start > last {
            return None;
        }
        let start = self.character(span.start);
        let end = self.character(span.end.min(last));
        Some(start..end.max(start + 1))
    }

    fn character(&self, offset: usize) -> usize {
        let at = self.marks.partition_point(|mark| mark.0 < offset);
        self.marks.get(at).or(self.marks.last()).map_or(0, |mark| mark.1)
    }
}

/// Bytes of the line to keep: all of a short line; of a long one the span's first half window, and as much before as behind it.
fn keep(text: &str, line: Range<usize>, span: Range<usize>, limit: usize) -> Range<usize> {
    let (all, _) = forward(text, line.clone(), limit);
    if all == line.end {
        return line;
    }
    let (span_end, mut used) = forward(text, span.start..span.end, limit / 2);
    let (mut start, before) = backward(text, line.start..span.start, (limit - used) / 2);
    used += before;
    let (end, behind) = forward(text, span_end..line.end, limit - used);
    used += behind;
    if end == line.end {
        start = backward(text, line.start..start, limit - used).0;
    }
    start..end
}

/// The end of the characters from the range's start that fit, and their columns.
fn forward(text: &str, range: Range<usize>, limit: usize) -> (usize, usize) {
    let mut used = 0;
    for (offset, c) in text.get(range.clone()).unwrap_or("").char_indices() {
        if used + columns(c) > limit {
            return (range.start + offset, used);
        }
        used += columns(c);
    }
    (range.end, used)
}

/// The start of the characters before the range's end that fit, and their columns.
fn backward(text: &str, range: Range<usize>, limit: usize) -> (usize, usize) {
    let mut used = 0;
    let mut start = range.end;
    for (offset, c) in text.get(range.clone()).unwrap_or("").char_indices().rev() {
        if used + columns(c) > limit {
            break;
        }
        used += columns(c);
        start = range.start + offset;
    }
    (start, used)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(text: &str, span: Range<usize>, limit: usize) -> (String, String) {
        let window = Window::new(text, 0..text.len(), span.clone(), limit);
        let found = window.find(span).unwrap();
        let marked = window.text.chars().skip(found.start).take(found.len()).collect();
        (window.text, marked)
    }

    #[test]
    fn a_short_line_stays_whole() {
        assert_eq!(shows("open(x)", 5..6, 60), ("open(x)".to_owned(), "x".to_owned()));
        assert_eq!(shows("\tif a:\tb", 7..8, 60), ("    if a:   b".to_owned(), "b".to_owned()));
        assert_eq!(shows("é\u{202e}x", 5..6, 60), ("é\\u{202e}x".to_owned(), "x".to_owned()));
    }

    #[test]
    fn a_long_line_is_cut_around_the_span() {
        let text = format!("{}HERE{}", "a".repeat(1000), "b".repeat(1000));
        let (shown, marked) = shows(&text, 1000..1004, 60);
        assert_eq!(marked, "HERE");
        assert_eq!(shown.chars().count(), 62);
        assert!(shown.starts_with("…aa") && shown.ends_with("bb…"), "{shown}");
        let (shown, _) = shows(&text, 2003..2004, 60);
        assert!(shown.starts_with("…b") && shown.ends_with('b') && shown.chars().count() == 61, "{shown}");
        let (shown, _) = shows(&text, 0..1, 60);
        assert!(shown.starts_with("aa") && shown.ends_with("a…") && shown.chars().count() == 61, "{shown}");
    }

    #[test]
    fn a_long_span_shows_its_start() {
        let text = "x".repeat(5000);
        let (shown, marked) = shows(&text, 100..4900, 60);
        assert!(shown.chars().count() <= 62 && marked.chars().count() >= 30, "{shown} {marked}");
    }

    #[test]
    fn an_empty_span_marks_one_character() {
        assert_eq!(shows("abc", 1..1, 60).1, "b");
        assert_eq!(shows("abc", 3..3, 60).1, "");
        assert_eq!(Window::new("", 0..0, 0..0, 60).find(0..0), Some(0..1));
    }

    #[test]
    fn a_span_outside_the_window_is_not_found() {
        let text = "x".repeat(500);
        let window = Window::new(&text, 0..500, 0..1, 60);
        assert_eq!(window.find(400..401), None);
        assert!(window.find(50..60).is_some());
    }
}
