package recording

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// An Application is what the resource manager said of it last.
type Application struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Type        string `json:"applicationType"`
	State       string `json:"state"`
	FinalStatus string `json:"finalStatus"`
}

// Applications returns the applications that ran, in the order of their ids.
func (r *Recording) Applications() []Application {
	last := map[string]Application{}
	for _, a := range r.answers {
		if a.Origin != ResourceManager || !strings.HasPrefix(a.URL, "/ws/v1/cluster/apps/") {
			continue
		}
		var answer struct {
			App Application `json:"app"`
		}
		if json.Unmarshal([]byte(a.Body), &answer) == nil && answer.App.ID != "" {
			last[answer.App.ID] = answer.App
		}
	}
	return slices.SortedFunc(maps.Values(last), func(a, b Application) int { return cmp.Compare(a.ID, b.ID) })
}
