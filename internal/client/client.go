package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client calls one daemon.
type Client struct {
	Server string // base URL, such as http://127.0.0.1:8080
	Tenant string // empty: the daemon's default
	Token  string // bearer token; empty: none
	HTTP   *http.Client
}

// timeout bounds one call; the daemon answers long before.
const timeout = 60 * time.Second

// New makes a client of the daemon at server; without a scheme it is http.
func New(server, tenant string) *Client {
	if !strings.Contains(server, "://") {
		server = "http://" + server
	}
	return &Client{Server: strings.TrimRight(server, "/"), Tenant: tenant, HTTP: &http.Client{Timeout: timeout}}
}

// ErrRefused: the daemon answered with a problem, which the caller has in the body.
var ErrRefused = errors.New("refused")

// Command is one command to send.
type Command struct {
	Type, ID  string // of the aggregate
	Payload   []byte // one JSON object with "type"
	CommandID string // empty: the daemon makes one
	Version   *uint64
	Roles     []string
	Meta      map[string]string
}

// Submit sends a command. With ErrRefused the body is the problem.
func (c *Client) Submit(ctx context.Context, cmd Command) ([]byte, error) {
	return c.post(ctx, "/commands", cmd)
}

// Simulate asks what a command would do. With ErrRefused the body is the simulation of a refusal,
// or the problem.
func (c *Client) Simulate(ctx context.Context, cmd Command) ([]byte, error) {
	body, err := c.post(ctx, ":simulate", cmd)
	var s struct{ Accepted bool }
	if err == nil {
		err = json.Unmarshal(body, &s)
	}
	if err == nil && !s.Accepted {
		err = ErrRefused
	}
	return body, err
}

func (c *Client) post(ctx context.Context, tail string, cmd Command) ([]byte, error) {
	req, err := c.request(ctx, http.MethodPost, aggregatePath(cmd.Type, cmd.ID)+tail, cmd.Payload)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if cmd.CommandID != "" {
		req.Header.Set("Idempotency-Key", cmd.CommandID)
	}
	if cmd.Version != nil {
		req.Header.Set("If-Match", strconv.FormatUint(*cmd.Version, 10))
	}
	if len(cmd.Roles) > 0 {
		req.Header.Set("X-Roles", strings.Join(cmd.Roles, ","))
	}
	for k, v := range cmd.Meta {
		req.Header.Set("X-Meta-"+k, v)
	}
	return c.do(req)
}

// State reads an aggregate.
func (c *Client) State(ctx context.Context, typ, id string) ([]byte, error) {
	return c.Get(ctx, aggregatePath(typ, id))
}

// Events reads the events of an aggregate after a version.
func (c *Client) Events(ctx context.Context, typ, id string, after uint64) ([]byte, error) {
	return c.Get(ctx, aggregatePath(typ, id)+"/events?after="+strconv.FormatUint(after, 10))
}

func aggregatePath(typ, id string) string {
	return "/v1/aggregates/" + url.PathEscape(typ) + "/" + url.PathEscape(id)
}

// Get reads any path of the server, such as /health of an admin door.
func (c *Client) Get(ctx context.Context, path string) ([]byte, error) {
	req, err := c.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	return c.do(req)
}

// Post sends JSON to any path of the server, such as /admin/drain of an admin door.
func (c *Client) Post(ctx context.Context, path string, body []byte) ([]byte, error) {
	req, err := c.request(ctx, http.MethodPost, path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	return c.do(req)
}

func (c *Client) request(ctx context.Context, method, path string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.Server+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("server %q: %w", c.Server, err)
	}
	if c.Tenant != "" {
		req.Header.Set("X-Tenant-Id", c.Tenant)
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	return req, nil
}

func (c *Client) do(req *http.Request) ([]byte, error) {
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("no answer from %s (hint: is aggd serve running there?): %w", c.Server, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("the answer of %s broke off: %w", c.Server, err)
	}
	if resp.StatusCode != http.StatusOK {
		return body, fmt.Errorf("%w: %s", ErrRefused, resp.Status)
	}
	return body, nil
}
