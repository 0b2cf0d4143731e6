"""The language server as editors drive it: the program, over standard input and output, with the capabilities that they declare.

`tests/oracle_lsp.rs` runs this file. The client is pytest-lsp's, which decodes every message with the types of the protocol.
"""

import asyncio
import json
import os

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities, make_test_lsp_client

SERVER = [os.environ["ISOLINT"], "lsp", "--preview"]
EDITORS = ["visual_studio_code", "neovim@v0.6.1", "neovim@v0.11.0", "emacs"]
TEXT = 'import tempfile\n\n\ndef test_name():\n    path = tempfile.mktemp("é😀")\n    open(path, "w").close()\n'
MENDED = "def test_name():\n    pass\n"


@pytest.fixture
def project(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text(TEXT, encoding="utf-8")
    return tmp_path


def parameters(project, capabilities):
    folder = types.WorkspaceFolder(uri=project.as_uri(), name="project")
    return types.InitializeParams(capabilities=capabilities, root_uri=project.as_uri(), workspace_folders=[folder])


def editor():
    client = make_test_lsp_client()
    client.watched = []

    @client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def register(params: types.RegistrationParams):
        client.watched += [one.method for one in params.registrations]

    return client


CONFIG = ClientServerConfig(server_command=SERVER, client_factory=editor)


@pytest_lsp.fixture(config=CONFIG, params=EDITORS)
async def client(request, lsp_client: LanguageClient, project):
    result = await lsp_client.initialize_session(parameters(project, client_capabilities(request.param)))
    lsp_client.encoding = result.capabilities.position_encoding
    yield
    await lsp_client.shutdown_session()
    assert lsp_client._server.returncode == 0
    watches = request.param in ("visual_studio_code", "emacs")
    assert lsp_client.watched == (["workspace/didChangeWatchedFiles"] if watches else [])


@pytest_lsp.fixture(config=CONFIG)
async def asking(lsp_client: LanguageClient, project):
    capabilities = client_capabilities("visual_studio_code")
    capabilities.text_document.diagnostic = types.DiagnosticClientCapabilities()
    capabilities.workspace.diagnostics = types.DiagnosticWorkspaceClientCapabilities(refresh_support=True)
    await lsp_client.initialize_session(parameters(project, capabilities))
    yield
    await lsp_client.shutdown_session()


def file(project):
    return (project / "tests" / "test_a.py").as_uri()


def identifier(project):
    return types.TextDocumentIdentifier(uri=file(project))


async def until(client, uri, holds):
    async with asyncio.timeout(60):
        while not holds(client.diagnostics.get(uri, [])):
            await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    return client.diagnostics[uri]


def open_document(client, project):
    item = types.TextDocumentItem(uri=file(project), language_id="python", version=1, text=TEXT)
    client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))


def change_document(client, project, text):
    document = types.VersionedTextDocumentIdentifier(uri=file(project), version=2)
    changes = [types.TextDocumentContentChangeWholeDocument(text=text)]
    client.text_document_did_change(types.DidChangeTextDocumentParams(text_document=document, content_changes=changes))


def edited(text, edits, encoding):
    lines = text.splitlines(keepends=True)
    unit = {"utf-8": lambda text: len(text.encode()), "utf-16": lambda text: len(text.encode("utf-16-le")) // 2}[encoding]

    def offset(place):
        line = lines[place.line] if place.line < len(lines) else ""
        column = next((n for n in range(len(line) + 1) if unit(line[:n]) == place.character), None)
        assert column is not None, f"{place} is inside of a character"
        return sum(map(len, lines[: place.line])) + column

    for edit in sorted(edits, key=lambda edit: offset(edit.range.start), reverse=True):
        text = text[: offset(edit.range.start)] + edit.new_text + text[offset(edit.range.end) :]
    return text


def edits(action):
    if action.edit.document_changes:
        return action.edit.document_changes[0].edits
    return next(iter(action.edit.changes.values()))


@pytest.mark.asyncio
async def test_a_finding_comes_and_goes(client, project):
    uri = file(project)
    [finding] = await until(client, uri, lambda list: list)
    assert (finding.source, finding.code, finding.severity) == ("isolint", "mktemp", types.DiagnosticSeverity.Warning)
    assert finding.range.start.line == 4
    assert finding.range.end.character == {"utf-8": 36, "utf-16": 33}[client.encoding]
    open_document(client, project)
    change_document(client, project, MENDED)
    await until(client, uri, lambda list: not list)
    client.text_document_did_close(types.DidCloseTextDocumentParams(text_document=identifier(project)))
    await until(client, uri, lambda list: list)


@pytest.mark.asyncio
async def test_actions_and_hover(client, project):
    [finding] = await until(client, file(project), lambda list: list)
    open_document(client, project)
    context = types.CodeActionContext(diagnostics=[finding])
    actions = await client.text_document_code_action_async(
        types.CodeActionParams(text_document=identifier(project), range=finding.range, context=context)
    )
    fix, ignore = actions[:2]
    assert fix.is_preferred and "tempfile.mkstemp(" in edited(TEXT, edits(fix), client.encoding)
    ignored = edited(TEXT, edits(ignore), client.encoding)
    assert 'path = tempfile.mktemp("é😀")  # isolint: ignore[mktemp]\n' in ignored
    change_document(client, project, ignored)
    await until(client, file(project), lambda list: not list)
    change_document(client, project, TEXT)
    hover = await client.text_document_hover_async(
        types.HoverParams(text_document=identifier(project), position=finding.range.start)
    )
    assert "**mktemp**" in hover.contents.value and "## Caught" in hover.contents.value


@pytest.mark.asyncio
async def test_all_safe_fixes(client, project):
    open_document(client, project)
    everything = types.Range(start=types.Position(line=0, character=0), end=types.Position(line=6, character=0))
    context = types.CodeActionContext(diagnostics=[], only=["source.fixAll"])
    [action] = await client.text_document_code_action_async(
        types.CodeActionParams(text_document=identifier(project), range=everything, context=context)
    )
    if action.edit is None:
        action = await client.code_action_resolve_async(action)
    assert "tempfile.mkstemp(" in edited(TEXT, edits(action), client.encoding)


@pytest.mark.asyncio
async def test_who_asks_is_answered(asking, project):
    report = await asking.text_document_diagnostic_async(types.DocumentDiagnosticParams(text_document=identifier(project)))
    assert [one.code for one in report.items] == ["mktemp"]
    again = await asking.text_document_diagnostic_async(
        types.DocumentDiagnosticParams(text_document=identifier(project), previous_result_id=report.result_id)
    )
    assert again.kind == "unchanged"
    whole = await asking.workspace_diagnostic_async(types.WorkspaceDiagnosticParams(previous_result_ids=[]))
    assert [(one.uri, len(one.items)) for one in whole.items] == [(file(project), 1)]
    open_document(asking, project)
    change_document(asking, project, MENDED)
    report = await asking.text_document_diagnostic_async(types.DocumentDiagnosticParams(text_document=identifier(project)))
    assert list(report.items) == []
    assert asking.diagnostics == {}


CELLS = ["# Notes", "import tempfile\n", '%time x = "é😀"\npath = tempfile.mktemp("😀")\nopen(path, "w").close()']


def cell(n):
    return f"vscode-notebook-cell:/nbs/a.ipynb#W{n}"


@pytest_lsp.fixture(config=CONFIG)
async def notebook(lsp_client: LanguageClient, tmp_path):
    """An editor that opens a notebook as Visual Studio Code does, with a cell that the file on disk does not have."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "nbs").mkdir()
    # The notebooks of a project of nbdev are its tests.
    (tmp_path / "settings.ini").write_text("[DEFAULT]\nnbs_path = nbs\n")
    cells = [{"cell_type": "code", "source": CELLS[1]}]
    (tmp_path / "nbs" / "a.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    capabilities = client_capabilities("visual_studio_code")
    capabilities.notebook_document = types.NotebookDocumentClientCapabilities(
        synchronization=types.NotebookDocumentSyncClientCapabilities()
    )
    result = await lsp_client.initialize_session(parameters(tmp_path, capabilities))
    [selector] = result.capabilities.notebook_document_sync.notebook_selector
    assert selector.notebook == "jupyter-notebook"
    lsp_client.encoding = result.capabilities.position_encoding
    lsp_client.book = (tmp_path / "nbs" / "a.ipynb").as_uri()
    kinds = [types.NotebookCellKind.Markup, types.NotebookCellKind.Code, types.NotebookCellKind.Code]
    document = types.NotebookDocument(
        uri=lsp_client.book,
        notebook_type="jupyter-notebook",
        version=1,
        cells=[types.NotebookCell(kind=kind, document=cell(n)) for n, kind in enumerate(kinds)],
    )
    languages = ["markdown", "python", "python"]
    texts = [
        types.TextDocumentItem(uri=cell(n), language_id=language, version=1, text=text)
        for n, (language, text) in enumerate(zip(languages, CELLS))
    ]
    lsp_client.notebook_document_did_open(
        types.DidOpenNotebookDocumentParams(notebook_document=document, cell_text_documents=texts)
    )
    yield
    await lsp_client.shutdown_session()


def change_notebook(client, version, **cells):
    change = types.NotebookDocumentChangeEvent(cells=types.NotebookDocumentCellChanges(**cells))
    document = types.VersionedNotebookDocumentIdentifier(uri=client.book, version=version)
    client.notebook_document_did_change(types.DidChangeNotebookDocumentParams(notebook_document=document, change=change))


@pytest.mark.asyncio
async def test_a_notebook_is_served_cell_by_cell(notebook):
    client = notebook
    [finding] = await until(client, cell(2), lambda list: list)
    assert (finding.code, finding.range.start.line, finding.range.start.character) == ("mktemp", 1, 7)
    assert finding.range.end.character == {"utf-8": 30, "utf-16": 28}[client.encoding]
    assert not client.diagnostics.get(client.book), "the findings of an open notebook stand in its cells"

    # What can be done is done in the cell.
    document = types.TextDocumentIdentifier(uri=cell(2))
    context = types.CodeActionContext(diagnostics=[finding])
    [ignore] = await client.text_document_code_action_async(
        types.CodeActionParams(text_document=document, range=finding.range, context=context)
    )
    [edit] = ignore.edit.document_changes
    assert (edit.text_document.uri, edit.text_document.version) == (cell(2), 1)
    ignored = edited(CELLS[2], edit.edits, client.encoding)
    assert ignored.splitlines()[1] == 'path = tempfile.mktemp("😀")  # isolint: ignore[mktemp]'
    hover = await client.text_document_hover_async(types.HoverParams(text_document=document, position=finding.range.start))
    assert "**mktemp**" in hover.contents.value

    # A change of a cell, and another cell in its place.
    content = types.NotebookDocumentCellContentChanges(
        document=types.VersionedTextDocumentIdentifier(uri=cell(2), version=2),
        changes=[types.TextDocumentContentChangeWholeDocument(text=ignored)],
    )
    change_notebook(client, 2, text_content=[content])
    await until(client, cell(2), lambda list: not list)
    content.changes = [types.TextDocumentContentChangeWholeDocument(text="\n" + CELLS[2])]
    change_notebook(client, 3, text_content=[content])
    await until(client, cell(2), lambda list: [one.range.start.line for one in list] == [2])
    new = types.NotebookCell(kind=types.NotebookCellKind.Code, document=cell(3))
    text = types.TextDocumentItem(uri=cell(3), language_id="python", version=1, text="open(tempfile.mktemp(), 'w')")
    array = types.NotebookCellArrayChange(start=2, delete_count=1, cells=[new])
    closed = [types.TextDocumentIdentifier(uri=cell(2))]
    structure = types.NotebookDocumentCellChangeStructure(array=array, did_open=[text], did_close=closed)
    change_notebook(client, 4, structure=structure)
    await until(client, cell(3), lambda list: [one.range.start.line for one in list] == [0])
    assert not client.diagnostics[cell(2)]

    identifier = types.NotebookDocumentIdentifier(uri=client.book)
    client.notebook_document_did_save(types.DidSaveNotebookDocumentParams(notebook_document=identifier))
    client.notebook_document_did_close(
        types.DidCloseNotebookDocumentParams(
            notebook_document=identifier, cell_text_documents=[types.TextDocumentIdentifier(uri=cell(n)) for n in (0, 1, 3)]
        )
    )
    # The file on disk has none of this.
    await until(client, cell(3), lambda list: not list)
    assert not client.diagnostics.get(client.book)


@pytest.mark.asyncio
async def test_malformed_messages_do_no_harm(project):
    server = await asyncio.create_subprocess_exec(*SERVER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)

    def say(body):
        server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async def hear():
        head = await server.stdout.readuntil(b"\r\n\r\n")
        return json.loads(await server.stdout.readexactly(int(head.split(b":")[1])))

    say(b'{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}')
    assert "capabilities" in (await hear())["result"]
    say(b"{nonsense")
    assert (await hear())["error"]["code"] == -32700
    say(b'{"id": 2, "neither": "this nor that"}')
    assert (await hear()) == {"jsonrpc": "2.0", "id": 2, "error": {"code": -32600, "message": "neither request, response nor notification"}}
    server.stdin.write(b"X-Header: only\r\n\r\n")
    say(b'{"jsonrpc": "2.0", "id": 3, "method": "shutdown"}')
    assert (await hear())["result"] is None
    say(b'{"jsonrpc": "2.0", "method": "exit"}')
    assert await asyncio.wait_for(server.wait(), 10) == 0
