package deps

import (
	"fmt"
	"testing"
)

// seedNumbers are the numbered tasks and tests of the seed plan: tasks and tests for each milestone. The
// seed numbers milestone 13's tasks 12.x again; they stand as 13.x here, and its second 10.6 as 10.6b.
func seedNumbers() []string {
	var out []string
	for i, n := range []struct{ tasks, tests int }{{4, 3}, {10, 9}, {4, 3}, {5, 5}, {6, 6}, {5, 5}, {4, 7}, {5, 7}, {6, 3}, {6, 8}, {10, 0}, {4, 2}, {5, 3}, {6, 6}, {6, 7}} {
		for k := 1; k <= n.tasks; k++ {
			out = append(out, fmt.Sprintf("%d.%d", i+1, k))
		}
		for k := 1; k <= n.tests; k++ {
			out = append(out, fmt.Sprintf("T%d.%d", i+1, k))
		}
	}
	return append(out, "10.6b")
}

func TestPlanIsKept(t *testing.T) {
	found, err := CheckPlan("../..", "docs/plan.md", seedNumbers())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
}

func TestCheckPlanFinds(t *testing.T) {
	root := t.TempDir()
	write(t, root, "a/a_test.go", "package a\n\nfunc TestReal(t *testing.T) {}\n")
	write(t, root, "plan.md", "| 1.1 | x | here | `a:TestReal` |\n| 1.2 | x | here | `a:TestGone` |\n| 1.3 | x | here | none |\n| 1.4 | x | here | issue to come |\n")
	found, err := CheckPlan(root, "plan.md", []string{"1.1", "1.5"})
	if err != nil || len(found) != 3 {
		t.Errorf("got %v, %v, want TestGone, 1.3 and 1.5", found, err)
	}
}
