//! The client: what it can do, and how it is spoken to.

use crate::text::Columns;
use crossbeam_channel::Sender;
use gen_lsp_types::{LogMessageParams, MessageType, ShowMessageParams};
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// What of the client's capabilities makes a difference. Read leniently: what a client says amiss of things that are not ours is no
/// reason to refuse it.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a capability of the protocol")]
pub struct Can {
    /// What a character of a position is.
    pub columns: Columns,
    /// It asks for diagnostics, and can be told to ask again.
    pub pull: bool,
    pub related: bool,
    pub tags: bool,
    pub href: bool,
    pub data: bool,
    pub versions: bool,
    /// Edits of versioned documents.
    pub document_changes: bool,
    /// Edits of a code action may be asked for later.
    pub resolve: bool,
    pub markdown: bool,
    /// It watches files for us.
    pub watch: bool,
    /// It shows that we are at work.
    pub progress: bool,
    /// It tells of notebooks, cell by cell.
    pub notebooks: bool,
}

impl Can {
    /// `capabilities` is what `initialize` says under that name.
    pub fn of(capabilities: &Value) -> Can {
        let has = |path: &str| capabilities.pointer(path).and_then(Value::as_bool) == Some(true);
        let names = |path: &str, name: &str| {
            let list = capabilities.pointer(path).and_then(Value::as_array);
            list.is_some_and(|list| list.iter().any(|one| one == name))
        };
        let diagnostics = |what: &str| {
            ["publishDiagnostics", "diagnostic"].iter().any(|kind| has(&format!("/textDocument/{kind}/{what}")))
                || capabilities.pointer(&format!("/textDocument/publishDiagnostics/{what}")).is_some_and(Value::is_object)
        };
        let asks = capabilities.pointer("/textDocument/diagnostic").is_some_and(Value::is_object);
        Can {
            columns: if names("/general/positionEncodings", "utf-8") { Columns::Bytes } else { Columns::Utf16 },
            // An edit of one file changes what is found in others, so who asks must also listen.
            pull: asks && has("/workspace/diagnostics/refreshSupport"),
            related: diagnostics("relatedInformation"),
            tags: diagnostics("tagSupport"),
            href: diagnostics("codeDescriptionSupport"),
            data: diagnostics("dataSupport"),
            versions: has("/textDocument/publishDiagnostics/versionSupport"),
            document_changes: has("/workspace/workspaceEdit/documentChanges"),
            resolve: names("/textDocument/codeAction/resolveSupport/properties", "edit")
                && has("/textDocument/codeAction/dataSupport"),
            markdown: names("/textDocument/hover/contentFormat", "markdown"),
            watch: has("/workspace/didChangeWatchedFiles/dynamicRegistration"),
            progress: has("/window/workDoneProgress"),
            notebooks: capabilities.pointer("/notebookDocument/synchronization").is_some_and(Value::is_object),
        }
    }
}

/// The other end of the line.
pub struct Client {
    pub can: Can,
    sender: Sender<Message>,
    asked: i32,
    /// What it was told already: the same mistake in a configuration is no news with each key that is pressed.
    told: BTreeSet<String>,
}

impl Client {
    pub fn new(can: Can, sender: Sender<Message>) -> Client {
        Client { can, sender, asked: 0, told: BTreeSet::new() }
    }

    pub fn notify(&self, method: &str, params: impl Serialize) {
        self.send(Notification::new(method.to_owned(), params));
    }

    /// Asks for something of which only the doing matters.
    pub fn request(&mut self, method: &str, params: impl Serialize) {
        self.asked += 1;
        self.send(Request::new(RequestId::from(self.asked), method.to_owned(), params));
    }

    pub fn answer(&self, id: RequestId, result: impl Serialize) {
        self.send(Response::new_ok(id, result));
    }

    pub fn refuse(&self, id: RequestId, code: ErrorCode, why: &str) {
        self.send(Response::new_err(id, code as i32, why.to_owned()));
    }

    /// A line for the log.
    pub fn log(&self, message: &str) {
        self.notify("window/logMessage", LogMessageParams { kind: MessageType::Warning, message: message.to_owned() });
    }

    /// Tells what is wrong now, each thing once. What is not wrong any more may be told again.
    pub fn tell(&mut self, wrong: &[String]) {
        for message in wrong.iter().filter(|message| !self.told.contains(*message)) {
            self.notify("window/showMessage", ShowMessageParams { kind: MessageType::Error, message: message.clone() });
        }
        self.told = wrong.iter().cloned().collect();
    }

    fn send(&self, message: impl Into<Message>) {
        // Who hung up is told nothing; the loop ends as soon as it listens again.
        let _ = self.sender.send(message.into());
    }
}
