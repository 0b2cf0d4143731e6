//! The loop: what the client says changes the state, a change is analysed after a short silence, and what was found is told.

use super::actions::{self, FIX_ALL, Name};
use super::analyst::{Analysed, Analyst, Asked, Project};
use super::client::{Can, Client};
use super::documents::Documents;
use super::place::{Spot, Spots};
use super::worker::{Answer, Generation, Task, Worker};
use super::{Options, diagnostics, hover, uri};
use crate::remedy::rounds::Changed;
use crate::text::{Columns, FileId};
use crossbeam_channel::{after, never, select};
use gen_lsp_types::{
    CancelParams, ChangeNotifications, CodeAction, CodeActionKind, CodeActionOptions, CodeActionParams, Diagnostic,
    DiagnosticOptions, DidChangeTextDocumentParams, DidChangeWatchedFilesRegistrationOptions, DidChangeWorkspaceFoldersParams,
    DidCloseNotebookDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, DocumentDiagnosticParams,
    DocumentDiagnosticReport, FileSystemWatcher, FullDocumentDiagnosticReport, HoverParams, Id, InitializeResult,
    NotebookDocumentFilterWithNotebook, NotebookDocumentSyncOptions, PositionEncodingKind, PublishDiagnosticsParams,
    Registration, RegistrationParams, RelatedFullDocumentDiagnosticReport, RelatedUnchangedDocumentDiagnosticReport,
    ServerCapabilities, ServerInfo, TextDocumentItem, TextDocumentSyncKind, TextDocumentSyncOptions,
    UnchangedDocumentDiagnosticReport, Uri, WorkspaceDiagnosticParams, WorkspaceDiagnosticReport,
    WorkspaceDocumentDiagnosticReport, WorkspaceFolder, WorkspaceFoldersServerCapabilities,
    WorkspaceFullDocumentDiagnosticReport, WorkspaceOptions, WorkspaceUnchangedDocumentDiagnosticReport,
};
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long nothing may change before it is analysed: the pauses of somebody who writes are shorter, most of the time.
const SILENCE: Duration = Duration::from_millis(150);

/// The name of what is shown while the first analysis is on its way.
const PROGRESS: &str = "isolint/first";

/// Files whose changes outside of the editor concern us: what `discover` reads, and what tells it what to leave out.
const WATCHED: [&str; 4] = [
    "**/*.{py,ipynb,rs,toml,ini,cfg,yml,yaml,mk,just,sh,bash}",
    "**/{Makefile,makefile,GNUmakefile,justfile,Justfile,.justfile,Dockerfile,Containerfile}",
    "**/{.gitignore,.ignore,.isolintignore}",
    "**/*.{Dockerfile,dockerfile}",
];

/// Serves a client until it leaves. Whether it left as the protocol wants it: `shutdown`, then `exit`.
pub fn serve(connection: &Connection, options: Options) -> bool {
    let Ok((id, params)) = connection.initialize_start() else { return false };
    let can = Can::of(params.get("capabilities").unwrap_or(&Value::Null));
    let client = Client::new(can, connection.sender.clone());
    client.answer(
        id,
        InitializeResult {
            capabilities: capabilities(&can),
            server_info: Some(ServerInfo {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
        },
    );
    let mut server = Server {
        client,
        worker: Worker::new(Analyst::new(options)),
        folders: folders(&params),
        documents: Documents::default(),
        now: 0,
        due: None,
        analysed: Arc::default(),
        of: None,
        files: BTreeMap::new(),
        published: BTreeMap::new(),
        waiting: Vec::new(),
        fixing: BTreeSet::new(),
        first: First::Ahead,
        is_down: false,
    };
    server.changed();
    server.listen(connection)
}

fn capabilities(can: &Can) -> ServerCapabilities {
    let pull = DiagnosticOptions {
        identifier: Some(env!("CARGO_PKG_NAME").to_owned()),
        inter_file_dependencies: true,
        workspace_diagnostics: true,
        ..DiagnosticOptions::default()
    };
    ServerCapabilities {
        position_encoding: Some(match can.columns {
            Columns::Bytes => PositionEncodingKind::UTF8,
            _ => PositionEncodingKind::UTF16,
        }),
        text_document_sync: Some(
            TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(TextDocumentSyncKind::Incremental),
                save: Some(true.into()),
                ..TextDocumentSyncOptions::default()
            }
            .into(),
        ),
        // All cells, so that they are counted as in the file.
        notebook_document_sync: can.notebooks.then(|| {
            let jupyter = NotebookDocumentFilterWithNotebook { notebook: "jupyter-notebook".into(), cells: None };
            NotebookDocumentSyncOptions { notebook_selector: vec![jupyter.into()], save: Some(true) }.into()
        }),
        hover_provider: Some(true.into()),
        code_action_provider: Some(
            CodeActionOptions {
                code_action_kinds: Some(vec![CodeActionKind::QuickFix, CodeActionKind::from(FIX_ALL.to_owned())]),
                resolve_provider: Some(can.resolve),
                ..CodeActionOptions::default()
            }
            .into(),
        ),
        diagnostic_provider: can.pull.then(|| pull.into()),
        workspace: Some(WorkspaceOptions {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(ChangeNotifications::Bool(true)),
            }),
            ..WorkspaceOptions::default()
        }),
        ..ServerCapabilities::default()
    }
}

/// A folder of the client: as it is spelled there, and without symbolic links.
struct Folder {
    spelled: PathBuf,
    real: PathBuf,
}

impl Folder {
    fn of(uri: &Uri) -> Option<Folder> {
        let spelled = uri::path(uri)?;
        Some(Folder { real: uri::real(&spelled), spelled })
    }
}

fn folders(params: &Value) -> Vec<Folder> {
    let listed =
        params.get("workspaceFolders").cloned().and_then(|list| serde_json::from_value::<Vec<WorkspaceFolder>>(list).ok());
    // Older clients name one root, by its URI or its path.
    let root = || params.get("rootUri").and_then(Value::as_str).map(Uri::from);
    let path = || params.get("rootPath").and_then(Value::as_str).map(|path| uri::of(Path::new(path)));
    let uris = match listed {
        Some(list) => list.into_iter().map(|folder| folder.uri).collect(),
        None => root().or_else(path).into_iter().collect::<Vec<_>>(),
    };
    uris.iter().filter_map(Folder::of).collect()
}

struct Server {
    client: Client,
    worker: Worker,
    folders: Vec<Folder>,
    documents: Documents,
    /// The state of the client's files.
    now: Generation,
    /// When it is to be analysed.
    due: Option<Instant>,
    analysed: Arc<Analysed>,
    /// The state that was analysed last.
    of: Option<Generation>,
    files: BTreeMap<Spot, Vec<Diagnostic>>,
    /// What the client was told, by the URI under which it was.
    published: BTreeMap<String, Vec<Diagnostic>>,
    /// Requests that speak of a state that is not analysed yet.
    waiting: Vec<Request>,
    /// Requests that wait for the worker.
    fixing: BTreeSet<RequestId>,
    first: First,
    is_down: bool,
}

/// How far the first analysis is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    Ahead,
    /// The client shows that it is on its way.
    Shown,
    Done,
}

impl Server {
    fn listen(&mut self, connection: &Connection) -> bool {
        loop {
            let silence = self.due.map_or_else(never, |due| after(due.saturating_duration_since(Instant::now())));
            let answers = self.worker.answers.clone();
            select! {
                recv(connection.receiver) -> message => match message {
                    Ok(Message::Notification(note)) if note.method == "exit" => return self.is_down,
                    Ok(Message::Notification(note)) => self.hear(note),
                    Ok(Message::Request(request)) => self.asked(request),
                    Ok(Message::Response(response)) => self.answered(&response),
                    Err(_) => return false,
                },
                recv(answers) -> answer => match answer {
                    Ok((generation, answer)) => self.done(generation, answer),
                    Err(_) => return false,
                },
                recv(silence) -> _ => self.analyse(),
            }
        }
    }

    /// Something changed: what was found may not be true any more.
    fn changed(&mut self) {
        self.now += 1;
        self.worker.outdate(self.now);
        self.due = Some(Instant::now() + SILENCE);
    }

    fn analyse(&mut self) {
        self.due = None;
        let alone = self.documents.paths().filter(|path| path.is_file() && !self.is_inside(path));
        let named = self.folders.iter().map(|folder| &folder.real).chain(alone).cloned().collect();
        self.worker.give(self.now, Task::Analyse(Asked { named, open: self.documents.texts() }));
        if self.client.can.progress && self.first == First::Ahead {
            self.client.request("window/workDoneProgress/create", json!({ "token": PROGRESS }));
            let begin = json!({ "kind": "begin", "title": "isolint", "message": "reading the project" });
            self.client.notify("$/progress", json!({ "token": PROGRESS, "value": begin }));
            self.first = First::Shown;
        }
    }

    /// The first analysis reads all files, so it takes the longest, and is the one that somebody waits for.
    fn first_is_done(&mut self) {
        if self.first == First::Shown {
            self.client.notify("$/progress", json!({ "token": PROGRESS, "value": { "kind": "end" } }));
        }
        self.first = First::Done;
    }

    fn hear(&mut self, note: Notification) {
        let method = note.method.as_str();
        let changed = match method {
            "textDocument/didOpen" => self.params(note).is_some_and(|p: DidOpenTextDocumentParams| self.open(p.text_document)),
            "textDocument/didChange" => {
                let columns = self.client.can.columns;
                self.params(note).is_some_and(|p: DidChangeTextDocumentParams| {
                    self.documents.change(&p.text_document, p.content_changes, columns)
                })
            }
            "textDocument/didClose" => self.params(note).is_some_and(|p: DidCloseTextDocumentParams| {
                let uri = p.text_document.uri;
                let inside = self.path(&uri).is_some_and(|path| self.is_inside(&path));
                self.documents.close(&uri) || !inside
            }),
            "notebookDocument/didOpen" => self.params(note).is_some_and(|p| self.documents.open_book(p)),
            "notebookDocument/didChange" => {
                let columns = self.client.can.columns;
                self.params(note).is_some_and(|p| self.documents.change_book(p, columns))
            }
            "notebookDocument/didClose" => self
                .params(note)
                .is_some_and(|p: DidCloseNotebookDocumentParams| self.documents.close_book(&p.notebook_document.uri)),
            "workspace/didChangeWorkspaceFolders" => self.params(note).is_some_and(|p: DidChangeWorkspaceFoldersParams| {
                let removed: Vec<Folder> = p.event.removed.iter().filter_map(|folder| Folder::of(&folder.uri)).collect();
                self.folders.retain(|folder| !removed.iter().any(|removed| removed.spelled == folder.spelled));
                self.folders.extend(p.event.added.iter().filter_map(|folder| Folder::of(&folder.uri)));
                true
            }),
            "textDocument/didSave"
            | "notebookDocument/didSave"
            | "workspace/didChangeWatchedFiles"
            | "workspace/didChangeConfiguration" => true,
            "initialized" => {
                self.watch();
                false
            }
            "$/cancelRequest" => {
                if let Some(CancelParams { id }) = self.params(note) {
                    self.cancel(match id {
                        Id::Int(id) => id.into(),
                        Id::String(id) => id.into(),
                    });
                }
                false
            }
            // What is optional begins with `$/`; the rest we did not ask for.
            _ => false,
        };
        if changed {
            self.changed();
        }
    }

    /// Whether that is news: to look at a file changes nothing, where its folder was analysed with the very same text.
    fn open(&mut self, item: TextDocumentItem) -> bool {
        let known = self.file(&item.uri).and_then(|(project, file)| project.report.sources.get(file.0 as usize));
        let same = known.is_some_and(|source| *item.text == *source.cells.as_ref().map_or(&*source.text, |cells| cells.file()));
        let inside = self.path(&item.uri).is_some_and(|path| self.is_inside(&path));
        self.documents.open(item) && !(same && inside)
    }

    fn is_inside(&self, path: &Path) -> bool {
        self.folders.iter().any(|folder| path.starts_with(&folder.real))
    }

    /// What a notification says; one that is malformed is logged and passed over.
    fn params<P: DeserializeOwned>(&self, note: Notification) -> Option<P> {
        serde_json::from_value(note.params)
            .inspect_err(|error| self.client.log(&format!("{}: not understood: {error}", note.method)))
            .ok()
    }

    /// Lets the client watch the files that concern us, where it can.
    fn watch(&mut self) {
        if !self.client.can.watch {
            return;
        }
        let watchers = WATCHED.map(|glob| FileSystemWatcher { glob_pattern: glob.to_owned().into(), kind: None }).to_vec();
        let options = DidChangeWatchedFilesRegistrationOptions { watchers };
        let registration = Registration {
            id: "files".to_owned(),
            method: "workspace/didChangeWatchedFiles".to_owned(),
            register_options: serde_json::to_value(options).ok(),
        };
        self.client.request("client/registerCapability", RegistrationParams { registrations: vec![registration] });
    }

    fn cancel(&mut self, id: RequestId) {
        let before = self.waiting.len();
        self.waiting.retain(|request| request.id != id);
        if self.waiting.len() < before || self.fixing.remove(&id) {
            self.client.refuse(id, ErrorCode::RequestCanceled, "cancelled");
        }
    }

    fn answered(&self, response: &Response) {
        if let Err(error) = &response.response_result {
            self.client.log(&format!("the client refused request {}: {}", response.id, error.message));
        }
    }

    fn asked(&mut self, request: Request) {
        match request.method.as_str() {
            _ if self.is_down => self.client.refuse(request.id, ErrorCode::InvalidRequest, "the server is shut down"),
            "shutdown" => {
                self.is_down = true;
                for request in std::mem::take(&mut self.waiting) {
                    self.client.refuse(request.id, ErrorCode::RequestCanceled, "the server is shut down");
                }
                self.client.answer(request.id, ());
            }
            "textDocument/diagnostic"
            | "workspace/diagnostic"
            | "textDocument/codeAction"
            | "codeAction/resolve"
            | "textDocument/hover" => match self.of == Some(self.now) {
                true => self.answer(request),
                false => self.waiting.push(request),
            },
            "initialize" => self.client.refuse(request.id, ErrorCode::InvalidRequest, "the server is initialized already"),
            method => {
                let why = format!("`{method}` is not offered");
                self.client.refuse(request.id, ErrorCode::MethodNotFound, &why);
            }
        }
    }

    fn done(&mut self, generation: Generation, answer: Answer) {
        match answer {
            Answer::Fixed { request, changed } => {
                if self.fixing.remove(&request) {
                    self.fixed(request, generation, changed);
                }
                return;
            }
            Answer::Broken { request: Some(request), why } => {
                if self.fixing.remove(&request) {
                    self.client.refuse(request, ErrorCode::InternalError, &why);
                }
                return;
            }
            // Something changed meanwhile, so there will be another.
            _ if generation != self.now => return,
            Answer::Broken { request: None, why } => {
                self.client.log(&format!("internal error: {why}; please report it (isolint {})", env!("CARGO_PKG_VERSION")));
            }
            Answer::Analysed(analysed) => {
                self.client.tell(&analysed.wrong);
                self.files = diagnostics::of(&analysed, &self.client.can, &self.documents, &|spot| self.named(spot));
                self.analysed = analysed;
                self.tell();
            }
        }
        self.of = Some(generation);
        self.first_is_done();
        for request in std::mem::take(&mut self.waiting) {
            self.answer(request);
        }
    }

    /// Tells the client which diagnostics changed, or that it should ask.
    fn tell(&mut self) {
        let name = |(spot, diagnostics): (&Spot, &Vec<Diagnostic>)| (self.named(spot).0.0, diagnostics.clone());
        let new: BTreeMap<String, Vec<Diagnostic>> = self.files.iter().map(name).collect();
        let old = std::mem::replace(&mut self.published, new);
        if self.client.can.pull {
            if old != self.published {
                self.client.request("workspace/diagnostic/refresh", Value::Null);
            }
            return;
        }
        for uri in old.keys().filter(|uri| !self.published.contains_key(*uri)) {
            self.publish(uri, Vec::new());
        }
        for (uri, diagnostics) in &self.published {
            if old.get(uri) != Some(diagnostics) {
                self.publish(uri, diagnostics.clone());
            }
        }
    }

    fn publish(&self, uri: &str, diagnostics: Vec<Diagnostic>) {
        let uri = Uri::from(uri);
        let version = self.version(&uri).filter(|_| self.client.can.versions);
        self.client.notify("textDocument/publishDiagnostics", PublishDiagnosticsParams { uri, version, diagnostics });
    }

    /// How a file or cell is spelled for the client: as in its own document, or below its own folder; and the version where it is open.
    fn named(&self, spot: &Spot) -> Name {
        let path = match spot {
            Spot::File(path) => path,
            Spot::Cell(uri) => return (Uri::from(&**uri), self.version(&Uri::from(&**uri))),
        };
        if let Some(document) = self.documents.at(path) {
            return (document.uri.clone(), Some(document.version));
        }
        let below = |folder: &Folder| Some(folder.spelled.join(path.strip_prefix(&folder.real).ok()?));
        let spelled = self.folders.iter().find_map(below);
        (uri::of(spelled.as_deref().unwrap_or(path)), None)
    }

    fn path(&self, uri: &Uri) -> Option<PathBuf> {
        Some(uri::real(&uri::path(uri)?))
    }

    /// What has the lines that a client speaks of under a URI.
    fn spot(&self, uri: &Uri) -> Option<Spot> {
        match self.documents.cell(&uri.0) {
            Some(_) => Some(Spot::Cell(uri.0.clone())),
            None => self.path(uri).map(Spot::File),
        }
    }

    /// The version of a document or cell, where it is open.
    fn version(&self, uri: &Uri) -> Option<i32> {
        if let Some((_, cell)) = self.documents.cell(&uri.0) {
            return Some(cell.version);
        }
        Some(self.documents.at(&self.path(uri)?)?.version)
    }

    /// The project and the file that a URI names, by one of its cells too.
    fn file(&self, uri: &Uri) -> Option<(&Project, FileId)> {
        let path = match self.documents.cell(&uri.0) {
            Some((path, _)) => path.to_owned(),
            None => self.path(uri)?,
        };
        self.analysed.projects.iter().find_map(|project| Some((&**project, project.file(&path)?)))
    }

    fn diagnostics(&self, uri: &Uri) -> &[Diagnostic] {
        self.spot(uri).and_then(|spot| self.files.get(&spot)).map_or(&[], Vec::as_slice)
    }

    /// Answers what speaks of the state that was analysed.
    fn answer(&mut self, request: Request) {
        let Request { id, method, params } = request;
        let result = match method.as_str() {
            "textDocument/diagnostic" => read(params).map(|params| Some(value(self.pulled(&params)))),
            "workspace/diagnostic" => read(params).map(|params| Some(value(self.all_pulled(&params)))),
            "textDocument/hover" => read(params).map(|params| Some(value(self.hovered(&params)))),
            "textDocument/codeAction" => read(params).map(|params| self.actions(&params, &id).map(value)),
            _ => read(params).map(|action| self.resolved(action, &id).map(value)),
        };
        match result {
            Ok(Some(result)) => self.client.answer(id, result),
            // The worker has it.
            Ok(None) => {}
            Err(why) => self.client.refuse(id, ErrorCode::InvalidParams, &format!("`{method}`: {why}")),
        }
    }

    fn pulled(&self, params: &DocumentDiagnosticParams) -> DocumentDiagnosticReport {
        let items = self.diagnostics(&params.text_document.uri);
        let result_id = diagnostics::result_id(items);
        if params.previous_result_id.as_ref() == Some(&result_id) {
            let report = UnchangedDocumentDiagnosticReport { result_id };
            return RelatedUnchangedDocumentDiagnosticReport {
                related_documents: None,
                unchanged_document_diagnostic_report: report,
            }
            .into();
        }
        let report = FullDocumentDiagnosticReport { result_id: Some(result_id), items: items.to_vec() };
        RelatedFullDocumentDiagnosticReport { related_documents: None, full_document_diagnostic_report: report }.into()
    }

    /// All files with diagnostics, and those that the client believes to have some.
    fn all_pulled(&self, params: &WorkspaceDiagnosticParams) -> WorkspaceDiagnosticReport {
        let known: BTreeMap<&str, &str> =
            params.previous_result_ids.iter().map(|id| (id.uri.as_ref(), id.value.as_str())).collect();
        let uris: BTreeSet<&str> = self.published.keys().map(String::as_str).chain(known.keys().copied()).collect();
        let one = |uri: &str| -> WorkspaceDocumentDiagnosticReport {
            let items = self.published.get(uri).map_or(&[][..], Vec::as_slice);
            let result_id = diagnostics::result_id(items);
            let known = known.get(uri).copied();
            let uri = Uri::from(uri);
            let version = self.version(&uri);
            if known == Some(&result_id) {
                let report = UnchangedDocumentDiagnosticReport { result_id };
                return WorkspaceUnchangedDocumentDiagnosticReport { uri, version, unchanged_document_diagnostic_report: report }
                    .into();
            }
            let report = FullDocumentDiagnosticReport { result_id: Some(result_id), items: items.to_vec() };
            WorkspaceFullDocumentDiagnosticReport { uri, version, full_document_diagnostic_report: report }.into()
        };
        WorkspaceDiagnosticReport { items: uris.into_iter().map(one).collect() }
    }

    fn hovered(&self, params: &HoverParams) -> Option<gen_lsp_types::Hover> {
        let at = &params.text_document_position_params;
        let (project, _) = self.file(&at.text_document.uri)?;
        let spots = Spots::new(project, self.client.can.columns, &self.documents);
        hover::at(&spots, &self.spot(&at.text_document.uri)?, at.position, &self.client.can)
    }

    /// None where the worker has to look first.
    fn actions(&mut self, params: &CodeActionParams, id: &RequestId) -> Option<Vec<CodeAction>> {
        let uri = &params.text_document.uri;
        let only = params.context.only.as_deref();
        let (Some((project, file)), Some(spot)) = (self.file(uri), self.spot(uri)) else { return Some(Vec::new()) };
        let mut list = Vec::new();
        if actions::is_asked(only, "quickfix") {
            let spots = Spots::new(project, self.client.can.columns, &self.documents);
            list = actions::quick(&spots, &spot, params.range, self.diagnostics(uri), &self.client.can, &|spot| self.named(spot));
        }
        // Who saves a notebook asks cell by cell, and the fixes of a file are made in one go.
        let is_file = matches!(spot, Spot::File(_));
        if is_file && actions::is_asked(only, FIX_ALL) && actions::has_safe_fix(project, file) {
            if self.client.can.resolve {
                list.push(CodeAction { data: Some(value(uri)), ..fix_all() });
            } else if only.is_some() {
                // Who asks for nothing else gets it whole; in a list of all that can be done it would cost too much.
                self.fix(uri, id);
                return None;
            }
        }
        Some(list)
    }

    /// None where the worker has to look first.
    fn resolved(&mut self, action: CodeAction, id: &RequestId) -> Option<CodeAction> {
        let uri = action.data.as_ref().and_then(Value::as_str).map(Uri::from);
        match uri {
            Some(uri) if action.edit.is_none() => {
                self.fix(&uri, id);
                None
            }
            _ => Some(action),
        }
    }

    fn fix(&mut self, uri: &Uri, id: &RequestId) {
        let file = self.path(uri).unwrap_or_default();
        self.fixing.insert(id.clone());
        self.worker.give(self.now, Task::Fix { file, of: self.analysed.clone(), request: id.clone() });
    }

    fn fixed(&self, id: RequestId, generation: Generation, changed: Option<Vec<(PathBuf, Changed)>>) {
        match changed.filter(|_| generation == self.now) {
            Some(changed) => {
                let edit = actions::rewritten(&changed, &self.client.can, &|spot| self.named(spot));
                let action = CodeAction { edit: Some(edit), ..fix_all() };
                match self.client.can.resolve {
                    true => self.client.answer(id, action),
                    false => self.client.answer(id, vec![action]),
                }
            }
            None => self.client.refuse(id, ErrorCode::ContentModified, "the text changed meanwhile"),
        }
    }
}

/// The action that makes all safe fixes of a file, without its edits.
fn fix_all() -> CodeAction {
    CodeAction {
        title: "Make all safe fixes of isolint".to_owned(),
        kind: Some(CodeActionKind::from(FIX_ALL.to_owned())),
        ..CodeAction::default()
    }
}

/// Types of the protocol: there is nothing in them that JSON cannot say.
fn value(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn read<P: DeserializeOwned>(params: Value) -> Result<P, serde_json::Error> {
    serde_json::from_value(params)
}
