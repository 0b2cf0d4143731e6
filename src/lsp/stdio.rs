//! Messages over standard input and output: a header with a length, and JSON ("Language Server Protocol Specification", "Base
//! Protocol").
//!
//! Not the transport of `lsp_server`: that one hangs up at the first message that is no JSON.

use crossbeam_channel::unbounded;
use lsp_server::{Connection, ErrorCode, Message};
use serde_json::{Value, json};
use std::io::{self, BufRead, Write};
use std::thread::{self, JoinHandle};

/// A message of more bytes is no message.
const MOST: usize = 1 << 30;

/// The connection, and the thread that writes; it ends when the connection is dropped.
pub fn connect() -> (Connection, JoinHandle<()>) {
    let (sender, outgoing) = unbounded::<Message>();
    let (incoming, receiver) = unbounded();
    let writer = thread::spawn(move || {
        for message in outgoing {
            if message.write(&mut io::stdout().lock()).is_err() {
                break;
            }
        }
    });
    // Nobody waits for this one: it may read for ever.
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Ok(Some(body)) = read(&mut input) {
            let heard = match parse(&body) {
                Ok(message) => incoming.send(message).is_ok(),
                Err(answer) => send(&answer).is_ok(),
            };
            if !heard {
                break;
            }
        }
    });
    (Connection { sender, receiver }, writer)
}

/// The message, or what to answer to what is none ("JSON-RPC 2.0 Specification", "Error object").
fn parse(body: &[u8]) -> Result<Message, Value> {
    let wrong = |id: Value, code: ErrorCode, why: String| json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code as i32, "message": why } });
    let value: Value =
        serde_json::from_slice(body).map_err(|error| wrong(Value::Null, ErrorCode::ParseError, error.to_string()))?;
    let id = value.get("id").cloned().unwrap_or(Value::Null);
    serde_json::from_value(value)
        .map_err(|_| wrong(id, ErrorCode::InvalidRequest, "neither request, response nor notification".into()))
}

/// The body of the next message; none at the end. Lines of a header that say no length are passed over.
fn read(input: &mut dyn BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        match (line.trim().split_once(':'), length) {
            (Some((name, value)), _) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse().ok(),
            (None, Some(length)) if line.trim().is_empty() && length <= MOST => {
                let mut body = vec![0; length];
                input.read_exact(&mut body)?;
                return Ok(Some(body));
            }
            _ => {}
        }
    }
}

fn send(answer: &Value) -> io::Result<()> {
    let text = answer.to_string();
    let mut out = io::stdout().lock();
    write!(out, "Content-Length: {}\r\n\r\n{text}", text.len())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_is_passed_over() {
        let mut input = &b"nonsense\r\n\r\nContent-Length: x\r\n\r\ncontent-length:2\r\nX: y\r\n\r\n{}Content-Length: 1\n\n["[..];
        assert_eq!(read(&mut input).unwrap(), Some(b"{}".to_vec()));
        assert_eq!(read(&mut input).unwrap(), Some(b"[".to_vec()));
        assert_eq!(read(&mut input).unwrap(), None);
    }

    #[test]
    fn a_message_that_is_cut_off_is_an_end() {
        assert!(read(&mut &b"Content-Length: 9\r\n\r\n{}"[..]).is_err());
    }

    #[test]
    fn what_is_no_message_is_answered() {
        let code = |body: &str| parse(body.as_bytes()).unwrap_err();
        assert_eq!(code("{")["error"]["code"], -32700);
        assert_eq!(code("[]")["error"]["code"], -32600);
        assert_eq!(code(r#"{"id": 7, "metod": "x"}"#)["id"], 7);
        assert!(matches!(parse(br#"{"jsonrpc":"2.0","id":1,"method":"shutdown"}"#), Ok(Message::Request(_))));
    }
}
