package aggregatev1_test

import (
	"testing"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"

	aggregatev1 "github.com/cloudlysis/aggregate/gen/aggregate/v1"
)

// TestGeneratedCodeIsFresh compiles the .proto file and compares it with what the generated code
// embeds; `make generate` mends it.
func TestGeneratedCodeIsFresh(t *testing.T) {
	c := protocompile.Compiler{Resolver: &protocompile.SourceResolver{ImportPaths: []string{"../../../proto"}}}
	files, err := c.Compile(t.Context(), "aggregate/v1/command.proto")
	if err != nil {
		t.Fatal(err)
	}
	want := protodesc.ToFileDescriptorProto(files[0])
	got := protodesc.ToFileDescriptorProto(aggregatev1.File_aggregate_v1_command_proto)
	if !proto.Equal(got, want) {
		t.Errorf("gen/ is not what proto/ says: run make generate\ngot  %v\nwant %v", got, want)
	}
}
