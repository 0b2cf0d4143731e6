//! The language server, spoken to as editors do: over a connection in memory, with a project on disk.

use isolint::lsp::{self, Options};
use lsp_server::{Connection, Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A debug build on a busy machine is slow; nothing waits this long where all is well.
const PATIENCE: Duration = Duration::from_secs(60);

/// A silence after which nothing more is said of what was done before.
const QUIET: Duration = Duration::from_millis(1500);

const MKTEMP: &str = "import tempfile\n\n\ndef test_name():\n    path = tempfile.mktemp()\n    open(path, \"w\").close()\n";

/// An editor.
struct Editor {
    connection: Connection,
    server: Option<JoinHandle<bool>>,
    capabilities: Value,
    asked: i32,
    /// What the server asked for, in order.
    requests: Vec<Request>,
    notes: Vec<Notification>,
    /// The diagnostics that are shown, by URI.
    shown: BTreeMap<String, Value>,
}

impl Editor {
    fn new(root: &Path, capabilities: Value) -> Editor {
        Editor::with(
            json!([{ "uri": uri(root), "name": "project" }]),
            capabilities,
            Options { preview: true, ..Options::default() },
        )
    }

    fn with(folders: Value, capabilities: Value, options: Options) -> Editor {
        let (ours, theirs) = Connection::memory();
        let server = thread::spawn(move || lsp::serve(&theirs, options));
        let mut editor = Editor {
            connection: ours,
            server: Some(server),
            capabilities: Value::Null,
            asked: 0,
            requests: Vec::new(),
            notes: Vec::new(),
            shown: BTreeMap::new(),
        };
        let params = json!({ "processId": null, "rootUri": null, "workspaceFolders": folders, "capabilities": capabilities });
        editor.capabilities = editor.ask("initialize", params)["capabilities"].clone();
        editor.say("initialized", json!({}));
        editor
    }

    fn say(&self, method: &str, params: Value) {
        self.connection.sender.send(Notification::new(method.to_owned(), params).into()).unwrap();
    }

    fn send(&mut self, method: &str, params: Value) -> RequestId {
        self.asked += 1;
        let id = RequestId::from(self.asked);
        self.connection.sender.send(Request::new(id.clone(), method.to_owned(), params).into()).unwrap();
        id
    }

    fn try_ask(&mut self, method: &str, params: Value) -> Result<Value, (i32, String)> {
        let id = self.send(method, params);
        self.answer(&id)
    }

    fn answer(&mut self, id: &RequestId) -> Result<Value, (i32, String)> {
        let start = Instant::now();
        loop {
            let left = PATIENCE.saturating_sub(start.elapsed());
            match self.connection.receiver.recv_timeout(left).expect("an answer") {
                Message::Response(response) if response.id == *id => {
                    return response.response_result.map_err(|error| (error.code, error.message));
                }
                Message::Response(other) => panic!("an answer that nobody asked for: {other:?}"),
                other => self.hear(other),
            }
        }
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.try_ask(method, params).unwrap_or_else(|error| panic!("{method}: {error:?}"))
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Request(request) => {
                self.connection.sender.send(Response::new_ok(request.id.clone(), Value::Null).into()).unwrap();
                self.requests.push(request);
            }
            Message::Notification(note) if note.method == "textDocument/publishDiagnostics" => {
                let uri = note.params["uri"].as_str().unwrap().to_owned();
                self.shown.insert(uri, note.params["diagnostics"].clone());
                self.notes.push(note);
            }
            Message::Notification(note) => self.notes.push(note),
            Message::Response(_) => {}
        }
    }

    /// Listens until something holds.
    fn until(&mut self, what: &str, holds: impl Fn(&Editor) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            let left = PATIENCE.saturating_sub(start.elapsed());
            match self.connection.receiver.recv_timeout(left) {
                Ok(message) => self.hear(message),
                Err(_) => panic!("waited in vain: {what}; shown: {:#?}; said: {:#?}", self.shown, self.notes),
            }
        }
    }

    fn listen(&mut self, time: Duration) {
        let start = Instant::now();
        while let Ok(message) = self.connection.receiver.recv_timeout(time.saturating_sub(start.elapsed())) {
            self.hear(message);
        }
    }

    /// Rules shown in a file, with their first lines (from 0), hints left out.
    fn rules(&self, path: &Path) -> Vec<(String, u64)> {
        let list = self.shown.get(&uri(path)).and_then(Value::as_array).cloned().unwrap_or_default();
        let of = |one: &Value| (one["code"].as_str().unwrap_or("").to_owned(), one["range"]["start"]["line"].as_u64().unwrap());
        list.iter().filter(|one| one["severity"] != 4).map(of).collect()
    }

    fn open(&self, path: &Path, text: &str) {
        self.say(
            "textDocument/didOpen",
            json!({ "textDocument": { "uri": uri(path), "languageId": "python", "version": 1, "text": text } }),
        );
    }

    fn change(&self, path: &Path, version: i32, changes: Value) {
        let document = json!({ "uri": uri(path), "version": version });
        self.say("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    }

    fn actions(&mut self, path: &Path, line: u32, only: Option<&str>) -> Vec<Value> {
        let at = json!({ "line": line, "character": 12 });
        let mut context = json!({ "diagnostics": [] });
        if let Some(only) = only {
            context["only"] = json!([only]);
        }
        let params = json!({ "textDocument": { "uri": uri(path) }, "range": { "start": at, "end": at }, "context": context });
        self.ask("textDocument/codeAction", params).as_array().unwrap().clone()
    }

    fn leave(mut self) {
        assert_eq!(self.ask("shutdown", Value::Null), Value::Null);
        self.say("exit", Value::Null);
        assert!(self.server.take().unwrap().join().unwrap(), "shutdown and exit are a clean end");
    }
}

/// A project on disk.
struct Project {
    folder: TempDir,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Project {
        let project = Project { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(project.path(".git")).unwrap();
        project.write("pyproject.toml", "[project]\nname = \"x\"\n\n[tool.pytest.ini_options]\naddopts = \"-n auto\"\n");
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    fn example() -> Project {
        let read = |path: &str| fs::read_to_string(format!("{}/testdata/example/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let files =
            ["weather/__init__.py", "weather/cache.py", "weather/report.py", "tests/test_cache.py", "tests/test_report.py"];
        let texts: Vec<(&str, String)> = files.iter().map(|path| (*path, read(path))).collect();
        Project::new(&texts.iter().map(|(path, text)| (*path, text.as_str())).collect::<Vec<_>>())
    }

    fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.to_str().unwrap())
}

/// What current editors say of diagnostics that are pushed.
fn pushed() -> Value {
    json!({
        "general": { "positionEncodings": ["utf-16"] },
        "textDocument": {
            "publishDiagnostics": {
                "relatedInformation": true,
                "tagSupport": { "valueSet": [1, 2] },
                "versionSupport": true,
                "codeDescriptionSupport": true,
                "dataSupport": true,
            },
            "codeAction": { "dataSupport": true, "resolveSupport": { "properties": ["edit"] } },
            "hover": { "contentFormat": ["markdown", "plaintext"] },
        },
        "workspace": {
            "workspaceEdit": { "documentChanges": true },
            "didChangeWatchedFiles": { "dynamicRegistration": true },
        },
        "window": { "workDoneProgress": true },
    })
}

fn pulled() -> Value {
    let mut capabilities = pushed();
    capabilities["textDocument"]["diagnostic"] = json!({ "dynamicRegistration": false, "relatedDocumentSupport": true });
    capabilities["workspace"]["diagnostics"] = json!({ "refreshSupport": true });
    capabilities
}

fn rule(name: &str, line: u64) -> (String, u64) {
    (name.to_owned(), line)
}

/// A text with edits of the protocol made; columns are UTF-16, and the texts of these tests are ASCII.
fn edited(text: &str, edits: &Value) -> String {
    let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let at = |place: &Value| {
        let line = place["line"].as_u64().unwrap() as usize;
        starts.get(line).map_or(text.len(), |start| start + place["character"].as_u64().unwrap() as usize)
    };
    let mut edits: Vec<&Value> = edits.as_array().unwrap().iter().collect();
    edits.sort_by_key(|edit| at(&edit["range"]["start"]));
    let mut new = text.to_owned();
    for edit in edits.iter().rev() {
        let range = at(&edit["range"]["start"])..at(&edit["range"]["end"]);
        new.replace_range(range, edit["newText"].as_str().unwrap());
    }
    new
}

/// The edits of an action for its only document.
fn edits(action: &Value) -> &Value {
    let changes = action["edit"]["documentChanges"].as_array().unwrap_or_else(|| panic!("{action:#?}"));
    assert_eq!(changes.len(), 1, "{action:#?}");
    &changes[0]["edits"]
}

fn titles(actions: &[Value]) -> Vec<&str> {
    actions.iter().map(|action| action["title"].as_str().unwrap()).collect()
}

#[test]
fn it_says_what_it_can() {
    let project = Project::new(&[]);
    let mut editor = Editor::new(&project.root(), pushed());
    let can = editor.capabilities.clone();
    assert_eq!(can["positionEncoding"], "utf-16");
    assert_eq!(can["textDocumentSync"]["change"], 2);
    assert_eq!(can["codeActionProvider"]["codeActionKinds"], json!(["quickfix", "source.fixAll.isolint"]));
    assert_eq!(can["workspace"]["workspaceFolders"]["supported"], true);
    assert_eq!(can.get("diagnosticProvider"), None, "who listens need not ask");
    editor.until("files are watched", |editor| editor.requests.iter().any(|one| one.method == "client/registerCapability"));
    assert_eq!(editor.requests[0].params["registrations"][0]["method"], "workspace/didChangeWatchedFiles");
    let progress = |editor: &Editor| {
        let notes = editor.notes.iter().filter(|note| note.method == "$/progress");
        notes.map(|note| note.params["value"]["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    editor.until("the first analysis", |editor| progress(editor) == ["begin", "end"]);
    assert_eq!(editor.requests[1].method, "window/workDoneProgress/create");
    editor.leave();
    // What an editor can is read leniently.
    let odd = json!({ "general": { "positionEncodings": ["utf-32", "utf-8"] }, "textDocument": 7, "workspace": { "x": null } });
    let editor = Editor::new(&project.root(), odd);
    assert_eq!(editor.capabilities["positionEncoding"], "utf-8");
    editor.leave();
    let editor = Editor::new(&project.root(), pulled());
    assert_eq!(editor.capabilities["diagnosticProvider"]["interFileDependencies"], true);
    assert_eq!(editor.capabilities["diagnosticProvider"]["workspaceDiagnostics"], true);
    editor.leave();
}

#[test]
fn findings_are_shown_without_a_document_being_open_and_both_ends_carry_them() {
    let project = Project::example();
    let mut editor = Editor::new(&project.root(), pushed());
    let cache = project.path("weather/cache.py");
    editor.until("findings", |editor| !editor.rules(&cache).is_empty());
    assert_eq!(editor.rules(&cache), [rule("fixed-temp-path", 10), rule("non-atomic-write", 10), rule("shared-path", 18)]);
    let list = editor.shown[&uri(&cache)].as_array().unwrap().clone();
    let main = list.iter().find(|one| one["code"] == "shared-path" && one["severity"] == 1).unwrap();
    assert_eq!(main["source"], "isolint");
    assert!(main["message"].as_str().unwrap().contains("at the same time"));
    assert!(main["message"].as_str().unwrap().contains("\nhelp: "));
    assert_eq!(main["data"]["tests"], json!(["tests/test_cache.py::test_clear_forgets", "tests/test_report.py::test_warmest"]));
    let related: Vec<&str> =
        main["relatedInformation"].as_array().unwrap().iter().map(|one| one["location"]["uri"].as_str().unwrap()).collect();
    for path in ["weather/cache.py", "tests/test_cache.py", "tests/test_report.py", "weather/report.py", "pyproject.toml"] {
        assert!(related.contains(&uri(&project.path(path)).as_str()), "{path} is not among {related:#?}");
    }
    let hints: Vec<&Value> = list.iter().filter(|one| one["code"] == "shared-path" && one["severity"] == 4).collect();
    assert_eq!(hints.len(), 2, "the two other ends: {list:#?}");
    editor.leave();
}

#[test]
fn a_client_that_can_do_little_is_told_little() {
    let project = Project::example();
    let mut editor = Editor::new(&project.root(), json!({}));
    let cache = project.path("weather/cache.py");
    editor.until("findings", |editor| !editor.rules(&cache).is_empty());
    for one in editor.shown[&uri(&cache)].as_array().unwrap() {
        for key in ["relatedInformation", "tags", "codeDescription", "data"] {
            assert_eq!(one.get(key), None, "{one:#?}");
        }
    }
    assert!(editor.requests.is_empty(), "{:?}", editor.requests);
    editor.leave();
}

#[test]
fn what_is_typed_counts_before_what_is_on_disk() {
    let project = Project::new(&[("tests/test_a.py", MKTEMP)]);
    let file = project.path("tests/test_a.py");
    let mut editor = Editor::new(&project.root(), pushed());
    editor.until("a finding on disk", |editor| editor.rules(&file) == [rule("mktemp", 4)]);
    editor.open(&file, MKTEMP);
    // Lines above push it down; then it is mended; then the buffer is thrown away.
    let top = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 0 } });
    editor.change(&file, 2, json!([{ "range": top, "text": "# é😀\n" }, { "range": top, "text": "# two\n" }]));
    editor.until("it moved", |editor| editor.rules(&file) == [rule("mktemp", 6)]);
    let last = editor.notes.iter().rfind(|note| note.params["uri"] == uri(&file).as_str()).unwrap();
    assert_eq!(last.params["version"], 2);
    editor.change(&file, 3, json!([{ "text": "def test_name():\n    pass\n" }]));
    editor.until("it went", |editor| editor.rules(&file).is_empty());
    editor.say("textDocument/didClose", json!({ "textDocument": { "uri": uri(&file) } }));
    editor.until("it is on disk as before", |editor| editor.rules(&file) == [rule("mktemp", 4)]);
    editor.leave();
}

#[test]
fn an_edit_of_one_file_clears_what_another_one_showed() {
    let project = Project::example();
    let (cache, test) = (project.path("weather/cache.py"), project.path("tests/test_report.py"));
    let mut editor = Editor::new(&project.root(), pushed());
    editor.until("a collision", |editor| editor.rules(&cache).contains(&rule("shared-path", 18)));
    editor.open(&test, &project.text("tests/test_report.py"));
    editor.change(&test, 2, json!([{ "text": "def test_warmest():\n    pass\n" }]));
    editor.until("no collision", |editor| !editor.rules(&cache).contains(&rule("shared-path", 18)));
    editor.leave();
}

#[test]
fn a_new_document_and_a_file_that_goes() {
    let project = Project::new(&[("tests/test_a.py", MKTEMP)]);
    let (old, new) = (project.path("tests/test_a.py"), project.path("tests/test_b.py"));
    let mut editor = Editor::new(&project.root(), pushed());
    editor.open(&new, MKTEMP);
    editor.until("both", |editor| editor.rules(&new) == [rule("mktemp", 4)] && editor.rules(&old) == [rule("mktemp", 4)]);
    fs::remove_file(&old).unwrap();
    editor.say("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": uri(&old), "type": 3 }] }));
    editor.until("the stale one is cleared", |editor| editor.rules(&old).is_empty());
    assert_eq!(editor.rules(&new), [rule("mktemp", 4)]);
    editor.leave();
}

#[test]
fn positions_in_the_units_that_were_agreed_upon() {
    let text = "import tempfile\n\n\ndef test_name():\n    s = 'é😀'; path = tempfile.mktemp()\n    open(path, \"w\").close()\n";
    let project = Project::new(&[("tests/test_a.py", text)]);
    let file = project.path("tests/test_a.py");
    for (encoding, column) in [("utf-8", 25), ("utf-16", 22)] {
        let mut capabilities = pushed();
        capabilities["general"]["positionEncodings"] = json!([encoding]);
        let mut editor = Editor::new(&project.root(), capabilities);
        editor.until("a finding", |editor| !editor.rules(&file).is_empty());
        assert_eq!(editor.shown[&uri(&file)][0]["range"]["start"]["character"], column, "{encoding}");
        editor.leave();
    }
}

#[test]
fn a_client_that_asks_is_answered_and_told_to_ask_again() {
    let project = Project::new(&[("tests/test_a.py", MKTEMP), ("tests/test_b.py", "def test_b():\n    pass\n")]);
    let (file, other) = (project.path("tests/test_a.py"), project.path("tests/test_b.py"));
    let mut editor = Editor::new(&project.root(), pulled());
    let ask = |editor: &mut Editor, path: &Path, previous: &Value| {
        editor.ask("textDocument/diagnostic", json!({ "textDocument": { "uri": uri(path) }, "previousResultId": previous }))
    };
    let first = ask(&mut editor, &file, &Value::Null);
    assert_eq!((&first["kind"], &first["items"][0]["code"]), (&json!("full"), &json!("mktemp")));
    assert_eq!(ask(&mut editor, &file, &first["resultId"]), json!({ "kind": "unchanged", "resultId": first["resultId"] }));
    assert_eq!(ask(&mut editor, &other, &Value::Null)["items"], json!([]));
    assert_eq!(ask(&mut editor, Path::new("/nowhere/x.py"), &Value::Null)["items"], json!([]));
    let all = editor.ask("workspace/diagnostic", json!({ "previousResultIds": [] }));
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "{all:#?}");
    assert_eq!(all["items"][0]["uri"], uri(&file));
    let known = json!([{ "uri": uri(&file), "value": all["items"][0]["resultId"] }, { "uri": uri(&other), "value": "gone" }]);
    let again = editor.ask("workspace/diagnostic", json!({ "previousResultIds": known }));
    assert_eq!((&again["items"][0]["kind"], &again["items"][1]["kind"]), (&json!("unchanged"), &json!("full")));
    assert_eq!(again["items"][1]["items"], json!([]), "the client believed in something that is not there");
    // What is asked right after an edit is answered for the text after it.
    editor.open(&file, MKTEMP);
    editor.change(&file, 2, json!([{ "text": "x = 1\n" }]));
    assert_eq!(ask(&mut editor, &file, &first["resultId"])["items"], json!([]));
    editor.until("a refresh", |editor| {
        editor.requests.iter().filter(|one| one.method == "workspace/diagnostic/refresh").count() == 2
    });
    assert!(editor.shown.is_empty(), "who asks is not told besides");
    editor.leave();
}

#[test]
fn quick_fixes_and_comments_that_ignore() {
    let project = Project::new(&[("tests/test_a.py", MKTEMP)]);
    let file = project.path("tests/test_a.py");
    let mut editor = Editor::new(&project.root(), pushed());
    editor.open(&file, MKTEMP);
    let actions = editor.actions(&file, 4, None);
    assert_eq!(actions.len(), 3, "{:#?}", titles(&actions));
    let (fix, ignore, all) = (&actions[0], &actions[1], &actions[2]);
    assert_eq!((&fix["kind"], &fix["isPreferred"]), (&json!("quickfix"), &json!(true)));
    assert_eq!(fix["diagnostics"][0]["code"], "mktemp");
    assert_eq!(fix["edit"]["documentChanges"][0]["textDocument"], json!({ "uri": uri(&file), "version": 1 }));
    assert!(edited(MKTEMP, edits(fix)).contains("tempfile.mkstemp()"));
    assert_eq!((&ignore["title"], ignore.get("isPreferred")), (&json!("Ignore mktemp here"), None));
    let ignored = edited(MKTEMP, edits(ignore));
    assert!(ignored.contains("path = tempfile.mktemp()  # isolint: ignore[mktemp]\n"), "{ignored}");
    assert_eq!((&all["kind"], all.get("edit")), (&json!("source.fixAll.isolint"), None));
    // The comment is understood.
    editor.change(&file, 2, json!([{ "text": ignored }]));
    assert_eq!(editor.actions(&file, 4, None), Vec::<Value>::new());
    assert_eq!(editor.actions(&file, 0, None), Vec::<Value>::new(), "nothing is found there");
    editor.leave();
}

#[test]
fn an_unsafe_fix_says_so() {
    let project = Project::example();
    let cache = project.path("weather/cache.py");
    let mut editor = Editor::new(&project.root(), json!({ "textDocument": {} }));
    let actions = editor.actions(&cache, 10, Some("quickfix"));
    let fix =
        actions.iter().find(|one| one["title"].as_str().unwrap().contains("unsafe")).unwrap_or_else(|| panic!("{actions:#?}"));
    assert_eq!(fix.get("isPreferred"), None);
    let changes = fix["edit"]["changes"][uri(&cache)].clone();
    assert!(edited(&project.text("weather/cache.py"), &changes).contains("os.replace("), "plain changes for plain clients");
    editor.leave();
}

#[test]
fn fix_all_makes_the_safe_fixes_of_its_file() {
    let text = "import os\n\n\ndef test_dir():\n    if not os.path.exists(\"/tmp/x\"):\n        os.makedirs(\"/tmp/x\")\n\n\n\
                def test_more(tmp_path):\n    assert tmp_path  # isolint: ignore[mktemp]\n";
    let project = Project::new(&[("tests/test_a.py", text), ("tests/test_b.py", MKTEMP)]);
    let file = project.path("tests/test_a.py");
    let wanted = "import os\n\n\ndef test_dir():\n    os.makedirs(\"/tmp/x\", exist_ok=True)\n\n\ndef test_more(tmp_path):\n    assert tmp_path\n";
    // Who can ask later is given the edits later.
    let mut editor = Editor::new(&project.root(), pushed());
    editor.until("findings", |editor| !editor.rules(&file).is_empty());
    let tags = editor.shown[&uri(&file)].as_array().unwrap().iter().map(|one| (one["code"].clone(), one.get("tags").cloned()));
    let unneeded = Some(json!([1]));
    assert_eq!(tags.collect::<Vec<_>>(), [(json!("check-then-act"), None), (json!("unused-ignore"), unneeded)]);
    let actions = editor.actions(&file, 0, Some("source.fixAll"));
    assert_eq!(actions.len(), 1);
    let resolved = editor.ask("codeAction/resolve", actions[0].clone());
    assert_eq!(edited(text, edits(&resolved)), wanted);
    // The text changes while it is looked at: the edits would not fit.
    editor.open(&file, text);
    let actions = editor.actions(&file, 0, Some("source.fixAll.isolint"));
    let id = editor.send("codeAction/resolve", actions[0].clone());
    editor.change(&file, 2, json!([{ "text": "" }]));
    match editor.answer(&id) {
        Err((code, _)) => assert_eq!(code, -32801),
        Ok(resolved) => assert_eq!(edited(text, edits(&resolved)), wanted, "the worker was faster"),
    }
    assert_eq!(editor.actions(&file, 0, Some("source.fixAll")), Vec::<Value>::new());
    editor.leave();
    // Who cannot is given them at once, if they are all that is asked for.
    let mut plain = pushed();
    plain["textDocument"]["codeAction"] = json!({});
    let mut editor = Editor::new(&project.root(), plain);
    let actions = editor.actions(&file, 0, Some("source.fixAll.isolint"));
    assert_eq!(edited(text, edits(&actions[0])), wanted);
    assert!(editor.actions(&file, 0, None).iter().all(|one| one["kind"] == "quickfix"));
    assert_eq!(project.text("tests/test_a.py"), text, "only the editor writes");
    editor.leave();
}

#[test]
fn a_hover_gives_the_page_of_the_rule() {
    let project = Project::new(&[("tests/test_a.py", MKTEMP)]);
    let file = project.path("tests/test_a.py");
    let mut editor = Editor::new(&project.root(), pushed());
    let hover = |editor: &mut Editor, line: u32| {
        let position = json!({ "line": line, "character": 15 });
        editor.ask("textDocument/hover", json!({ "textDocument": { "uri": uri(&file) }, "position": position }))
    };
    let page = hover(&mut editor, 4);
    assert_eq!(page["contents"]["kind"], "markdown");
    let text = page["contents"]["value"].as_str().unwrap();
    assert!(text.starts_with("**mktemp**: ") && text.contains("\n## Caught\n") && text.contains("help: "), "{text}");
    assert_eq!(page["range"]["start"]["line"], 4);
    assert_eq!(hover(&mut editor, 0), Value::Null);
    editor.leave();
}

#[test]
fn settings_are_read_again_and_a_mistake_in_them_is_shown_where_it_stands() {
    let project = Project::new(&[("tests/test_a.py", MKTEMP), ("isolint.toml", "ignore = [\"mktemp\"]\n")]);
    let (file, settings) = (project.path("tests/test_a.py"), project.path("isolint.toml"));
    let mut editor = Editor::new(&project.root(), pushed());
    let saved = |editor: &Editor| {
        editor.say("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": uri(&settings), "type": 2 }] }))
    };
    editor.listen(QUIET);
    assert_eq!(editor.rules(&file), []);
    project.write("isolint.toml", "min-severity = \"note\"\n");
    saved(&editor);
    editor.until("the rule is on", |editor| editor.rules(&file) == [rule("mktemp", 4)]);
    project.write("isolint.toml", "\nignor = []\n");
    saved(&editor);
    editor.until("the mistake", |editor| editor.rules(&settings) == [rule("", 1)]);
    assert!(editor.shown[&uri(&settings)][0]["message"].as_str().unwrap().contains("did you mean `ignore`?"));
    assert_eq!(editor.rules(&file), [rule("mktemp", 4)], "the last settings that were right stay");
    project.write("isolint.toml", "");
    saved(&editor);
    editor.until("it is mended", |editor| editor.rules(&settings).is_empty());
    editor.leave();
}

#[test]
fn a_baseline_counts_in_the_editor_too() {
    let project = Project::new(&[("tests/test_a.py", MKTEMP), ("isolint.toml", "baseline = \"known.json\"\n")]);
    let file = project.path("tests/test_a.py");
    let mut editor = Editor::new(&project.root(), pushed());
    editor.until("it is missing", |editor| editor.notes.iter().any(|note| note.method == "window/showMessage"));
    project.write(
        "known.json",
        "{\"version\": 1, \"findings\": [{\"path\": \"tests/test_a.py\", \"rule\": \"mktemp\", \"about\": \"none\"}]}",
    );
    editor.say("textDocument/didSave", json!({ "textDocument": { "uri": uri(&file) } }));
    editor.until("another finding than the known one", |editor| editor.rules(&file) == [rule("mktemp", 4)]);
    editor.leave();
}

#[test]
fn folders_come_and_go_and_a_document_may_stand_alone() {
    let (one, two) = (Project::new(&[("tests/test_a.py", MKTEMP)]), Project::new(&[("tests/test_a.py", MKTEMP)]));
    let (first, second) = (one.path("tests/test_a.py"), two.path("tests/test_a.py"));
    let mut editor = Editor::new(&one.root(), pushed());
    editor.until("the first", |editor| editor.rules(&first) == [rule("mktemp", 4)]);
    // Its project is not open, but the document is.
    editor.open(&second, MKTEMP);
    editor.until("the second", |editor| editor.rules(&second) == [rule("mktemp", 4)]);
    editor.say("textDocument/didClose", json!({ "textDocument": { "uri": uri(&second) } }));
    editor.until("it is closed", |editor| editor.rules(&second).is_empty());
    let folder = |project: &Project| json!([{ "uri": uri(&project.root()), "name": "x" }]);
    let change = json!({ "event": { "added": folder(&two), "removed": folder(&one) } });
    editor.say("workspace/didChangeWorkspaceFolders", change);
    editor.until("the other folder", |editor| editor.rules(&second) == [rule("mktemp", 4)] && editor.rules(&first).is_empty());
    editor.leave();
}

#[test]
fn files_are_spelled_as_the_editor_spells_them() {
    let project = Project::new(&[("project/tests/test_a.py", MKTEMP)]);
    fs::create_dir(project.path("project/.git")).unwrap();
    let link = project.path("a link");
    #[cfg(unix)]
    std::os::unix::fs::symlink(project.path("project"), &link).unwrap();
    let spelled = uri(&link).replace(' ', "%20");
    let folders = json!([{ "uri": spelled, "name": "link" }]);
    let mut editor = Editor::with(folders, pushed(), Options { preview: true, ..Options::default() });
    editor.until("a finding", |editor| !editor.shown.is_empty());
    assert_eq!(editor.shown.keys().collect::<Vec<_>>(), [&format!("{spelled}/tests/test_a.py")]);
    // An open document is spelled as it was opened, whatever others do.
    let odd = format!("{spelled}/tests/test%5Fa.py");
    editor.say(
        "textDocument/didOpen",
        json!({ "textDocument": { "uri": odd, "languageId": "python", "version": 1, "text": format!("\n{MKTEMP}") } }),
    );
    editor.until("it is shown there", |editor| editor.shown.get(&odd).is_some_and(|list| list[0]["range"]["start"]["line"] == 5));
    assert_eq!(editor.shown[&format!("{spelled}/tests/test_a.py")], json!([]));
    editor.leave();
}

#[test]
fn notebooks_are_read_as_files_and_cells_are_none() {
    let lines: Vec<&str> = MKTEMP.split_inclusive('\n').collect();
    let book = json!({ "cells": [{ "cell_type": "code", "metadata": {}, "source": lines }], "metadata": {}, "nbformat": 4, "nbformat_minor": 5 });
    let text = serde_json::to_string_pretty(&book).unwrap();
    let project = Project::new(&[("tests/a.ipynb", &text)]);
    let file = project.path("tests/a.ipynb");
    let mut editor = Editor::new(&project.root(), pushed());
    let cell = json!({ "textDocument": { "uri": "vscode-notebook-cell:/a.ipynb#X1", "languageId": "python", "version": 1, "text": "x" } });
    editor.say("textDocument/didOpen", cell);
    editor.open(&file, &text);
    editor.change(&file, 2, json!([{ "text": format!("\n{text}") }]));
    editor.listen(QUIET);
    let rules = editor.rules(&file);
    let line = format!("\n{text}").lines().position(|line| line.contains("mktemp()")).unwrap() as u64;
    assert!(rules.iter().all(|(_, at)| *at == line), "places are those of the file: {rules:?}");
    editor.change(&file, 3, json!([{ "text": "{ no notebook" }]));
    editor.until("nothing is found in what is none", |editor| editor.rules(&file).is_empty());
    editor.leave();
}

#[test]
fn what_is_not_understood_is_answered_and_survived() {
    let project = Project::new(&[("tests/test_a.py", MKTEMP)]);
    let file = project.path("tests/test_a.py");
    let mut editor = Editor::new(&project.root(), pushed());
    assert_eq!(editor.try_ask("textDocument/definition", json!({})).unwrap_err().0, -32601);
    assert_eq!(editor.try_ask("textDocument/hover", json!({ "textDocument": 3 })).unwrap_err().0, -32602);
    assert_eq!(editor.try_ask("initialize", json!({})).unwrap_err().0, -32600);
    for (method, params) in [
        ("textDocument/didOpen", json!(null)),
        ("textDocument/didChange", json!({ "textDocument": { "uri": uri(&file), "version": 1 }, "contentChanges": 1 })),
        (
            "textDocument/didChange",
            json!({ "textDocument": { "uri": "file:///not/open.py", "version": 1 }, "contentChanges": [] }),
        ),
        ("textDocument/didClose", json!({ "textDocument": { "uri": "file:///not/open.py" } })),
        ("$/whatever", json!([])),
        ("workspace/didChangeConfiguration", json!({ "settings": {} })),
    ] {
        editor.say(method, params);
    }
    let logged = |editor: &Editor| editor.notes.iter().filter(|note| note.method == "window/logMessage").count();
    editor.until("it is logged", |editor| logged(editor) == 2);
    editor.until("it is alive", |editor| editor.rules(&file) == [rule("mktemp", 4)]);
    editor.leave();
}

#[test]
fn requests_can_be_cancelled_and_none_is_answered_after_the_end() {
    let project = Project::example();
    let mut editor = Editor::new(&project.root(), pulled());
    let file = json!({ "textDocument": { "uri": uri(&project.path("weather/cache.py")) } });
    let waiting = editor.send("textDocument/diagnostic", file.clone());
    let id = editor.asked;
    editor.say("$/cancelRequest", json!({ "id": id }));
    assert_eq!(editor.answer(&waiting).unwrap_err().0, -32800);
    let pending = editor.send("textDocument/diagnostic", file.clone());
    let shutdown = editor.send("shutdown", Value::Null);
    assert_eq!(editor.answer(&pending).unwrap_err().0, -32800);
    assert_eq!(editor.answer(&shutdown).unwrap(), Value::Null);
    assert_eq!(editor.try_ask("textDocument/diagnostic", file).unwrap_err().0, -32600);
    editor.say("exit", Value::Null);
    assert!(editor.server.take().unwrap().join().unwrap());
}

#[test]
fn who_hangs_up_without_a_word_leaves_badly() {
    let project = Project::new(&[]);
    let mut editor = Editor::new(&project.root(), pushed());
    editor.say("exit", Value::Null);
    assert!(!editor.server.take().unwrap().join().unwrap());
    let Editor { connection, server, .. } = Editor::new(&project.root(), pushed());
    drop(connection);
    assert!(!server.unwrap().join().unwrap());
}

#[test]
fn the_settings_in_the_documentation_can_be_read() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/editor.md")).unwrap();
    let blocks: Vec<(&str, &str)> = page.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n')).collect();
    let languages: Vec<&str> = blocks.iter().map(|(language, _)| *language).collect();
    assert_eq!(languages, ["json", "lua", "toml", "json", "lisp"]);
    for (language, text) in blocks {
        assert!(text.contains("isolint") && text.contains("\"lsp\""), "{text}");
        match language {
            "json" => drop(serde_json::from_str::<Value>(text).unwrap()),
            "toml" => drop(text.parse::<toml::Table>().unwrap()),
            _ => assert_eq!(text.matches(['(', '{']).count(), text.matches([')', '}']).count()),
        }
    }
}
