package track

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A description is of a micro-batch with a query and a number that are in it, or of none.
func FuzzParseBatch(f *testing.F) {
	const ids = "id = 2a1f7e0c-5a55-4e8e-9d0f-0f6f4c1f7f11\nrunId = c22c776e-bfca-49d7-a6ae-85f8238691db\nbatch = 12"
	for _, seed := range []string{"scores\n" + ids, ids, "two\nlines\n" + ids + "\n", "collect at score.py:7", "id = \nrunId = \nbatch = "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, description string) {
		b := parseBatch(description)
		if b == nil {
			return
		}
		if b.Query == "" || b.Number == "" || strings.Trim(b.Number, "0123456789") != "" ||
			!strings.Contains(description, b.Name) || !strings.Contains(description, "id = "+b.Query+"\n") {
			t.Errorf("%q is taken for %+v", description, b)
		}
	})
}

// Whatever tags say, an application has a model, and a parent with ids or none.
func FuzzTags(f *testing.F) {
	for _, seed := range []string{
		"", "model:churn,version:3", " team-a , model: ", "traceparent:00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"traceparent:00-00000000000000000000000000000000-b7ad6b7169203331-01",
	} {
		f.Add("nightly-churn-v3", seed)
	}
	namer := ModelNamer{Pattern: regexp.MustCompile(`^nightly-(?P<name>.*?)(?:-v(?P<version>\d+))?$`)}
	f.Fuzz(func(t *testing.T, name, tags string) {
		if m := namer.Model(name, tags, nil); m.Name == "" && name != "" {
			t.Errorf("%q with tags %q has no model", name, tags)
		}
		if p := FindParent(tags, nil); p != nil && (p.TraceID == [16]byte{} || p.SpanID == [8]byte{}) {
			t.Errorf("tags %q give a parent without an id", tags)
		}
	})
}

// Every reason has one of the classes.
func FuzzClassifyLoss(f *testing.F) {
	for _, seed := range []string{
		"Container from a bad node: container_1795475525737_0009_01_000002 on host: localhost. Exit status: 137. Possible causes: Unknown executor exit code (137) (died from signal 9?)",
		"Executor killed by driver.", "Executor heartbeat timed out after 132000 ms", "",
	} {
		f.Add(seed)
	}
	classes := []LossReason{LossOther}
	for _, p := range lossPatterns {
		classes = append(classes, p.reason)
	}
	f.Fuzz(func(t *testing.T, reason string) {
		if class := ClassifyLoss(reason); !slices.Contains(classes, class) {
			t.Errorf("%q is of class %q", reason, class)
		}
	})
}
