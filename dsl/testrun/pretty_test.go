package testrun

import (
	"strings"
	"testing"
)

func TestUnder(t *testing.T) {
	tests := []struct {
		name, cond string
		shown      []Shown
		want       string
	}{
		{"two", "a == b", []Shown{{"a", "1"}, {"b", "2"}}, "|    |\n1    2"},
		{"no room", "a == b", []Shown{{"a", "100000"}, {"b", "2"}}, "|    |\n|    2\n100000"},
		{"touching", "a+b", []Shown{{"a", "1"}, {"b", "2"}}, "| |\n1 2"},
		{"a call of that name", "last(xs) == last", []Shown{{"last", "1"}}, "            |\n            1"},
		{"a name inside another", "old.x == x", []Shown{{"x", "1"}}, "         |\n         1"},
		{"not there", "a == b", []Shown{{"c  d", "1"}}, "c  d is 1"},
		{"not ASCII before it", `"é" == a`, []Shown{{"a", "1"}}, "       |\n       1"},
		{"none", "true", nil, ""},
		{"one at a time", "x < y and z", []Shown{{"x", "11111"}, {"y", "222222222"}, {"z", "3"}}, "|   |     |\n|   |     3\n|   222222222\n11111"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(under(tt.cond, tt.shown), "\n"); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestClean(t *testing.T) {
	if got := clean("a\x1b[2J\u202eb\tc"); got != "a\uFFFD[2J\uFFFDb\tc" {
		t.Errorf("got %q", got)
	}
}

func TestApart(t *testing.T) {
	for _, tt := range []struct {
		want, got string
		at        int
	}{
		{`"abc"`, `"abd"`, 0},
		{`"the quick brown fox"`, `"the quick brawn fox"`, 13},
		{`"ü quick brown fox"`, `"ü quick brown"`, 14},
		{"_", "absent", 0},
	} {
		if got := apart(tt.want, tt.got); got != tt.at {
			t.Errorf("%s and %s: got %d, want %d", tt.want, tt.got, got, tt.at)
		}
	}
}
