package lsp

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/creachadair/jrpc2"
	"github.com/creachadair/jrpc2/channel"
	"github.com/creachadair/jrpc2/handler"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

// quiet is how long nothing is typed before diagnostics are worked out.
const quiet = 80 * time.Millisecond

// The error codes of LSP beside those of JSON-RPC.
const (
	notInitialized jrpc2.Code = -32002
	requestFailed  jrpc2.Code = -32803
)

// Server is the state of one session.
type Server struct {
	version string
	rpc     *jrpc2.Server
	exit    chan struct{} // closed when the client says exit
	leaving sync.Once     // closes exit
	quiet   time.Duration

	mu          sync.Mutex // guards all below; held while a request runs
	initialized bool
	down        bool // shutdown was asked for
	utf8        bool
	folders     []string
	docs        map[string]*document // open, by URI
	sets        map[string]*set      // those of open documents, by root
}

// Serve speaks LSP on in and out until the client says exit, in ends, or ctx is done. The error
// is nil only after an orderly shutdown. It closes neither; the goroutine that reads in stays
// until in ends.
func Serve(ctx context.Context, in io.Reader, out io.Writer, version string) error {
	s := newServer(version)
	s.start(in, out)
	ended := make(chan error, 1)
	go func() { ended <- s.rpc.Wait() }()
	defer s.stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.exit:
	case err := <-ended:
		if err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.down {
		return fmt.Errorf("the client left without a shutdown request")
	}
	return nil
}

func newServer(version string) *Server {
	return &Server{version: version, exit: make(chan struct{}), quiet: quiet, docs: map[string]*document{}, sets: map[string]*set{}}
}

func (s *Server) start(in io.Reader, out io.Writer) {
	s.rpc = jrpc2.NewServer(s.handlers(), &jrpc2.ServerOptions{AllowPush: true, DisableBuiltin: true, Concurrency: 1})
	s.rpc.Start(gate{channel.LSP(in, nopCloser{out}), s.exit})
}

// gate lets nothing in after the exit. The session then ends by itself when the next message, or
// the end of the stream, is read; jrpc2.Server.Stop would panic if a message came meanwhile.
type gate struct {
	channel.Channel
	exit <-chan struct{}
}

// Recv receives the next message.
func (g gate) Recv() ([]byte, error) {
	msg, err := g.Channel.Recv()
	select {
	case <-g.exit:
		return nil, io.EOF
	default:
		return msg, err
	}
}

// stop ends the timers and the session.
func (s *Server) stop() {
	s.mu.Lock()
	s.down = true
	for _, set := range s.sets {
		set.halt()
	}
	s.mu.Unlock()
	s.leave()
}

// leave ends the session with the next message.
func (s *Server) leave() { s.leaving.Do(func() { close(s.exit) }) }

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// refuse is the answer to a request that cannot be done, for the user to read.
func refuse(format string, args ...any) error {
	return &jrpc2.Error{Code: requestFailed, Message: fmt.Sprintf(format, args...)}
}

func (s *Server) handlers() handler.Map {
	m := handler.Map{
		"initialize":                          request(s.initialize),
		"initialized":                         nothing,
		"$/setTrace":                          nothing,
		"workspace/didChangeConfiguration":    nothing,
		"textDocument/didOpen":                request(s.didOpen),
		"textDocument/didChange":              request(s.didChange),
		"textDocument/didSave":                request(s.didSave),
		"textDocument/didClose":               request(s.didClose),
		"workspace/didChangeWatchedFiles":     request(func(any) (any, error) { return s.filesChanged() }),
		"workspace/didChangeWorkspaceFolders": request(s.foldersChanged),
		"textDocument/hover":                  request(s.hover),
		"textDocument/completion":             request(s.completion),
		"textDocument/definition":             request(s.definition),
		"textDocument/references":             request(s.references),
		"textDocument/documentHighlight":      request(s.highlight),
		"textDocument/prepareRename":          request(s.prepareRename),
		"textDocument/rename":                 request(s.rename),
		"textDocument/formatting":             request(s.formatting),
		"textDocument/documentSymbol":         request(s.symbols),
		"textDocument/semanticTokens/full":    request(s.semantic),
		"textDocument/codeAction":             request(s.codeActions),
	}
	for name, h := range m {
		m[name] = s.guarded(name, h)
	}
	m["shutdown"] = s.shutdown
	m["exit"] = func(context.Context, *jrpc2.Request) (any, error) {
		s.leave()
		return nil, nil
	}
	m["$/cancelRequest"] = s.cancel
	return m
}

func nothing(context.Context, *jrpc2.Request) (any, error) { return nil, nil }

// request makes a handler of f, whose parameters are P.
func request[P any](f func(P) (any, error)) jrpc2.Handler {
	return func(_ context.Context, r *jrpc2.Request) (any, error) {
		var p P
		if r.HasParams() {
			if err := json.Unmarshal([]byte(r.ParamString()), &p); err != nil {
				return nil, &jrpc2.Error{Code: jrpc2.InvalidParams, Message: err.Error()}
			}
		}
		return f(p)
	}
}

// guarded runs h with the state locked, only within a session, and answers a panic as an error.
func (s *Server) guarded(name string, h jrpc2.Handler) jrpc2.Handler {
	return func(ctx context.Context, r *jrpc2.Request) (out any, err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case s.down:
			return nil, &jrpc2.Error{Code: jrpc2.InvalidRequest, Message: "the server is shut down"}
		case name != "initialize" && !s.initialized:
			return nil, &jrpc2.Error{Code: notInitialized, Message: "initialize comes first"}
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
		defer func() {
			if x := recover(); x != nil {
				s.log("%s: %v\n%s", name, x, debug.Stack())
				out, err = nil, &jrpc2.Error{Code: jrpc2.InternalError, Message: fmt.Sprintf("%s failed: %v", name, x)}
			}
		}()
		return h(ctx, r)
	}
}

// log tells the client what its user may report.
func (s *Server) log(format string, args ...any) {
	s.notify("window/logMessage", logParams{1, fmt.Sprintf(format, args...)})
}

// notify sends what nobody waits for; a client that is gone needs nothing.
func (s *Server) notify(method string, params any) {
	_ = s.rpc.Notify(context.Background(), method, params)
}

func (s *Server) initialize(p initializeParams) (any, error) {
	if s.initialized {
		return nil, &jrpc2.Error{Code: jrpc2.InvalidRequest, Message: "initialize came before"}
	}
	s.initialized = true
	s.utf8 = slices.Contains(p.Capabilities.General.PositionEncodings, "utf-8")
	for _, f := range p.WorkspaceFolders {
		s.addFolder(pathOf(f.URI))
	}
	if len(s.folders) == 0 {
		s.addFolder(pathOf(p.RootURI))
	}
	if len(s.folders) == 0 && filepath.IsAbs(p.RootPath) {
		s.addFolder(filepath.Clean(p.RootPath))
	}
	encoding := "utf-16"
	if s.utf8 {
		encoding = "utf-8"
	}
	return initializeResult{
		ServerInfo: serverInfo{Name: "aggc", Version: s.version},
		Capabilities: serverCapabilities{
			PositionEncoding: encoding, TextDocumentSync: syncOptions{OpenClose: true, Change: 2, Save: true},
			HoverProvider: true, CompletionProvider: completionOptions{TriggerCharacters: []string{"."}},
			DefinitionProvider: true, ReferencesProvider: true, DocumentHighlightProvider: true,
			RenameProvider: renameOptions{PrepareProvider: true}, DocumentFormattingProvider: true, DocumentSymbolProvider: true,
			CodeActionProvider:     codeActionOptions{CodeActionKinds: []string{quickFix, fixAll}},
			SemanticTokensProvider: semanticOptions{Legend: semanticLegend{tokenTypes, tokenModifiers}, Full: true},
			Workspace:              workspaceCapabilities{folderCapabilities{Supported: true, ChangeNotifications: true}},
		},
	}, nil
}

func (s *Server) addFolder(dir string) {
	if dir != "" && !slices.Contains(s.folders, dir) {
		s.folders = append(s.folders, dir)
	}
}

func (s *Server) shutdown(context.Context, *jrpc2.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = true
	return nil, nil
}

// cancel is heard before the request that it names only while that one waits.
func (s *Server) cancel(_ context.Context, r *jrpc2.Request) (any, error) {
	var p struct {
		ID json.RawMessage `json:"id"`
	}
	if err := json.Unmarshal([]byte(r.ParamString()), &p); err == nil {
		s.rpc.CancelRequest(string(p.ID))
	}
	return nil, nil
}

// file is the analysis of the set of an open document, and the document in it; nil if it is not
// open or no manifest.
func (s *Server) file(uri string) (*analysis, *diag.File) {
	doc := s.docs[uri]
	if doc == nil {
		return nil, nil
	}
	a := doc.set.analyse(s.utf8)
	return a, a.byName[doc.set.name(doc)]
}

// locate is file with the byte at a position.
func (s *Server) locate(p positionParams) (*analysis, *diag.File, int) {
	a, f := s.file(p.TextDocument.URI)
	if f == nil {
		return nil, nil, 0
	}
	return a, f, a.lines(f).offset(p.Position)
}
