//! Files as the protocol names them: `file:` URIs ("Uniform Resource Identifier (URI): Generic Syntax", RFC 3986; "The \"file\" URI
//! Scheme", RFC 8089).

use gen_lsp_types::Uri;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The path that a URI names; none where it names no file of this machine: an untitled document, a cell of a notebook.
pub fn path(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.0.strip_prefix("file://")?;
    let path = &rest[rest.find('/')?..];
    let host = &rest[..rest.len() - path.len()];
    if !matches!(host, "" | "localhost") {
        return None;
    }
    let path = path.split(['?', '#']).next()?;
    // `/C:/x` and `/c%3A/x` are paths of Windows.
    let bytes = decoded(path)?;
    let bytes = match bytes.as_slice() {
        [b'/', drive, b':', ..] if cfg!(windows) && drive.is_ascii_alphabetic() => &bytes[1..],
        bytes => bytes,
    };
    Some(PathBuf::from(system(bytes)?))
}

/// A path as a URI.
pub fn of(path: &Path) -> Uri {
    let mut uri = String::from("file://");
    let bytes = bytes(path);
    // Windows' canonical paths say that they are.
    let bytes = bytes.strip_prefix(br"\\?\").filter(|_| cfg!(windows)).unwrap_or(&bytes);
    if bytes.first() != Some(&b'/') {
        uri.push('/');
    }
    for byte in bytes {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            byte if byte.is_ascii_alphanumeric() || b"-._~/".contains(byte) => uri.push(char::from(*byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    Uri(uri)
}

/// A path without symbolic links; of a file that is not there yet, those of its folder are followed.
pub fn real(path: &Path) -> PathBuf {
    let beside = || Some(fs::canonicalize(path.parent()?).ok()?.join(path.file_name()?));
    fs::canonicalize(path).ok().or_else(beside).unwrap_or_else(|| path.to_owned())
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        bytes.push(match first {
            b'%' => {
                let (code, more) = rest.split_at_checked(2)?;
                rest = more;
                u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()?
            }
            byte => *byte,
        });
    }
    Some(bytes)
}

#[cfg(unix)]
fn system(bytes: &[u8]) -> Option<OsString> {
    Some(std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec()))
}

#[cfg(not(unix))]
fn system(bytes: &[u8]) -> Option<OsString> {
    Some(String::from_utf8(bytes.to_vec()).ok()?.into())
}

#[cfg(unix)]
fn bytes(path: &Path) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_vec()
}

#[cfg(not(unix))]
fn bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().into_owned().into_bytes()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_again_by_its_uri() {
        for path in ["/a/b.py", "/tésts/a b#?%.py", "/c:/x", "/"] {
            assert_eq!(super::path(&of(Path::new(path))), Some(PathBuf::from(path)));
        }
        assert_eq!(of(Path::new("/tést/a b.py")).0, "file:///t%C3%A9st/a%20b.py");
        let raw: OsString = std::os::unix::ffi::OsStringExt::from_vec(b"/\xFF.py".to_vec());
        assert_eq!(super::path(&of(Path::new(&raw))), Some(PathBuf::from(raw)));
    }

    #[test]
    fn editors_spell_uris_in_their_own_ways() {
        let path = |uri: &str| super::path(&Uri::from(uri));
        assert_eq!(path("file:///a%2Fb/c+d.py"), Some(PathBuf::from("/a/b/c+d.py")));
        assert_eq!(path("file://localhost/a.py"), Some(PathBuf::from("/a.py")));
        for other in
            ["untitled:Untitled-1", "vscode-notebook-cell:/a.ipynb#X", "file://server/a.py", "file:///a%2", "file:///a%zz", ""]
        {
            assert_eq!(path(other), None, "{other}");
        }
    }
}
