package deps

// Module is the path of this module.
const Module = "github.com/cloudlysis/aggregate"

// Anything allows every import of ours.
const Anything = "..."

// Table lists, for each package (path below the module, "." is the root), the packages of ours
// that its code may import. Tests (files *_test.go) may import anything, so that a room can be
// tested with the real thing. A package that is not listed is an error: a new room is a decision.
var Table = map[string][]string{
	".":                                   {},
	"dsl/diag":                            {},
	"dsl/ast":                             {"dsl/diag"},
	"dsl/parser":                          {"dsl/ast", "dsl/diag"},
	"dsl/format":                          {"dsl/ast", "dsl/diag", "dsl/parser"},
	"dsl/value":                           {},
	"dsl/bytecode":                        {"dsl/value"},
	"dsl/check":                           {"dsl/ast", "dsl/diag", "dsl/value"},
	"dsl/compile":                         {"dsl/check", "dsl/bytecode", "dsl/diag", "dsl/value"},
	"dsl":                                 {"dsl/diag", "dsl/ast", "dsl/parser", "dsl/format", "dsl/value", "dsl/bytecode", "dsl/check", "dsl/compile"},
	"engine/vm":                           {"dsl/bytecode", "dsl/value"},
	"dsl/testrun":                         {"dsl", "dsl/...", "engine/vm"},
	"dsl/report":                          {"dsl", "dsl/...", "engine/vm"},
	"engine":                              {".", "engine/vm", "dsl/bytecode", "dsl/value"},
	"manifests":                           {"dsl", "dsl/bytecode", "dsl/diag", "dsl/value", "engine/vm", "."},
	"stream/envelope":                     {"."},
	"stream":                              {".", "stream/envelope"},
	"store":                               {"."},
	"gen/aggregate/v1/aggregatev1connect": {"gen/aggregate/v1"},
	"gen/aggregate/v1":                    {},
	"internal/diskspace":                  {},
	"internal/natsd":                      {"internal/diskspace"},
	"internal/query":                      {".", "dsl", "dsl/...", "engine/vm"},
	"internal/cluster":                    {".", "dsl", "dsl/...", "engine/vm"},
	"internal/server":                     {".", "gen/aggregate/v1", "gen/aggregate/v1/aggregatev1connect", "internal/server/auth"},
	"internal/server/auth":                {"."},
	"internal/config":                     {},
	"internal/telemetry":                  {".", "internal/diskspace"},
	"internal/client":                     {".", "gen/aggregate/v1"},
	"internal/lsp":                        {"dsl", "dsl/..."},
	"internal/sdnotify":                   {},
	"internal/deploytest":                 {},
	"internal/clienttest":                 {Anything},
	"internal/aggdtest":                   {"."},
	"internal/loadgen":                    {".", "gen/aggregate/v1"},
	"internal/daemon":                     {Anything},
	"internal/scale":                      {Anything},
	"internal/torture":                    {Anything},
	"internal/deps":                       {},
	"internal/goldentest":                 {},
	"cmd/aggd":                            {Anything},
	"cmd/aggc":                            {Anything},
}
