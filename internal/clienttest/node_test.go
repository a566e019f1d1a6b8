package clienttest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/cloudlysis/aggregate"
)

// imageOf is a file and all that it imports, in the order that compilers want.
func imageOf(f protoreflect.FileDescriptor, seen map[string]bool) []*descriptorpb.FileDescriptorProto {
	if seen[f.Path()] {
		return nil
	}
	seen[f.Path()] = true
	var out []*descriptorpb.FileDescriptorProto
	for i := range f.Imports().Len() {
		out = append(out, imageOf(f.Imports().Get(i).FileDescriptor, seen)...)
	}
	return append(out, protodesc.ToFileDescriptorProto(f))
}

// nodeProject makes a folder with the client's packages and the code generated for it.
func nodeProject(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"package.json", "client.js", "buf.gen.yaml"} {
		b, err := os.ReadFile(filepath.Join("testdata/node", name))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("NODE_MODULES", filepath.Join(dir, "node_modules"), "OUT", filepath.Join(dir, "gen")).Replace(string(b))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mustRun(t, dir, "npm", "install", "--no-audit", "--no-fund", "--silent")
	image, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: imageOf(errdetails.File_google_rpc_error_details_proto, map[string]bool{})})
	if err != nil {
		t.Fatal(err)
	}
	details := filepath.Join(dir, "details.binpb")
	if err := os.WriteFile(details, image, 0o600); err != nil {
		t.Fatal(err)
	}
	buf := tool(t, "github.com/bufbuild/buf/cmd/buf")
	template := filepath.Join(dir, "buf.gen.yaml")
	mustRun(t, filepath.Join(root, "proto"), buf, "generate", "--template", template, "--timeout", "600s")
	mustRun(t, dir, buf, "generate", details, "--template", template, "--timeout", "600s")
	return dir
}

// TestTypeScriptClient: the client that protoc-gen-es and Connect make of proto/, in Node, over
// Connect JSON, gRPC and gRPC-Web: typed calls, error details, and every digit of a number, since
// payloads are JSON text.
func TestTypeScriptClient(t *testing.T) {
	needsMore(t, "Node and npm")
	n, id := start(t), aggregate.NewID()
	out := mustRun(t, nodeProject(t), "node", "client.js", n.URL, id.String())
	var got map[string]struct {
		Versions       []string
		Payload, State string
		Events         []string
		Refused        struct{ Code, Message, Reason, Domain, CommandID string }
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	const big = 9007199254740993
	for i, name := range []string{"connect", "grpc", "web"} {
		r := got[name]
		wantVersions := []string{"1", "2"}
		if i > 0 {
			wantVersions = []string{[]string{"", "3", "4"}[i]}
		}
		if strings.Join(r.Versions, " ") != strings.Join(wantVersions, " ") || !strings.Contains(r.Payload, `"amount":9007199254740993`) || len(r.Events) != i+1 {
			t.Errorf("%s: got %+v", name, r)
		}
		if r.Refused.Code != "FailedPrecondition" || r.Refused.Reason != "insufficient_funds" || r.Refused.Domain != "aggregate" || r.Refused.CommandID == "" || r.Refused.Message == "" {
			t.Errorf("%s: got details %+v", name, r.Refused)
		}
		if sum := json.Number([]string{"9007199254740993", "18014398509481986", "27021597764222979"}[i]); !strings.Contains(r.State, `"balance":`+sum.String()+`,`) {
			t.Errorf("%s: got state %s, want a balance of %d times %d", name, r.State, i+1, big)
		}
	}
}
