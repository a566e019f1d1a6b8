package aggdtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/cloudlysis/aggregate"
)

// Reply is what the HTTP door answers, to commands and reads alike.
type Reply struct {
	Status    int    `json:"-"` // of HTTP
	Raw       string `json:"-"` // the whole body
	Version   uint64
	Duplicate bool
	Code      string
	Detail    string
	State     map[string]json.RawMessage
	Events    []struct {
		EventID string `json:"event_id"`
		Version uint64
		Type    string `json:"event_type"`
		Payload json.RawMessage
	}
}

// Client is the HTTP client of all nodes.
var Client = &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}

// Try calls the data door as tenant acme; hdr are names and values.
func (n *Node) Try(method, path, body string, hdr ...string) (Reply, error) {
	code, b, err := call(method, n.URL+path, body, append([]string{"X-Tenant-Id", "acme"}, hdr...)...)
	if err != nil {
		return Reply{}, err
	}
	var r Reply
	if err := json.Unmarshal(b, &r); err != nil {
		err = fmt.Errorf("%s: %w", b, err)
		return Reply{Status: code, Raw: string(b)}, err
	}
	r.Status, r.Raw = code, string(b)
	return r, nil
}

func call(method, url, body string, hdr ...string) (int, []byte, error) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	for i := 0; i+1 < len(hdr); i += 2 {
		req.Header.Set(hdr[i], hdr[i+1])
	}
	resp, err := Client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, b, err
}

// Do is Try that must be answered.
func (n *Node) Do(method, path, body string, hdr ...string) Reply {
	n.t.Helper()
	r, err := n.Try(method, path, body, hdr...)
	if err != nil {
		n.t.Fatalf("%s %s: %v\n%s", method, path, err, n.Log)
	}
	return r
}

// Command sends a command to an Account.
func (n *Node) Command(id aggregate.ID, body string, hdr ...string) Reply {
	n.t.Helper()
	return n.Do("POST", "/v1/aggregates/Account/"+id.String()+"/commands", body, hdr...)
}

// State reads an Account.
func (n *Node) State(id aggregate.ID) Reply {
	n.t.Helper()
	return n.Do("GET", "/v1/aggregates/Account/"+id.String(), "")
}

// Want checks a reply's status and version.
func (n *Node) Want(r Reply, status int, version uint64) {
	n.t.Helper()
	if r.Status != status || r.Version != version {
		n.t.Fatalf("got %d, version %d, want %d, %d: %s", r.Status, r.Version, status, version, r.Raw)
	}
}

// Ask calls the admin door.
func (n *Node) Ask(method, path, body string, hdr ...string) (int, string) {
	n.t.Helper()
	code, b, err := call(method, n.Admin+path, body, hdr...)
	if err != nil {
		n.t.Fatalf("%s %s: %v\n%s", method, path, err, n.Log)
	}
	return code, string(b)
}
