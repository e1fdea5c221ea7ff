package recording

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// queried returns what a server would answer to a query over what it answered without one, so that not each of the many
// possible queries has to be recorded: nil if it is not such a query, or there is no answer without it.
func (p *Player) queried(origin string, u *url.URL, t time.Time) *Answer {
	var choose func(body string, query url.Values, now time.Time) (string, error)
	unqueried := u.Path
	switch {
	case strings.HasSuffix(u.Path, "/sql"):
		query := u.Query()
		query.Set("offset", "0")
		unqueried, choose = key(&url.URL{Path: u.Path, RawQuery: query.Encode()}), chooseExecutions
	case origin == History && u.Path == "/api/v1/applications":
		choose = chooseApplications
	case u.Path == "/jmx":
		choose = chooseBeans
	default:
		return nil
	}
	whole := p.at(Target{origin, unqueried}, t)
	if whole == nil || whole.Status != http.StatusOK {
		return whole
	}
	answer := *whole
	var err error
	if answer.Body, err = choose(whole.Body, u.Query(), t); err != nil {
		return nil
	}
	return &answer
}

// chooseExecutions leaves out the executions before an offset; a list is recorded from the first one on.
func chooseExecutions(body string, query url.Values, _ time.Time) (string, error) {
	var all []json.RawMessage
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		return "", err
	}
	offset, err := strconv.Atoi(query.Get("offset"))
	if err != nil || offset < 0 {
		return "", strconv.ErrSyntax
	}
	rest, err := json.Marshal(all[min(offset, len(all)):])
	return string(rest), err
}

// chooseApplications chooses as Spark's ApplicationListResource does.
func chooseApplications(body string, query url.Values, now time.Time) (string, error) {
	var all []json.RawMessage
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		return "", err
	}
	limits, err := dates(query)
	if err != nil {
		return "", err
	}
	chosen := []json.RawMessage{}
	for _, raw := range all {
		var app struct {
			Attempts []struct {
				Completed      bool
				StartTimeEpoch int64
				EndTimeEpoch   int64
			}
		}
		if err := json.Unmarshal(raw, &app); err != nil {
			return "", err
		}
		state := "completed"
		if len(app.Attempts) == 0 || !app.Attempts[0].Completed {
			state = "running"
		}
		if query.Has("status") && !slices.Contains(query["status"], state) {
			continue
		}
		for _, attempt := range app.Attempts {
			ended := limits["minEndDate"] <= attempt.EndTimeEpoch && attempt.EndTimeEpoch <= limits["maxEndDate"]
			if state == "running" {
				ended = limits["maxEndDate"] > now.UnixMilli()
			}
			if ended && limits["minDate"] <= attempt.StartTimeEpoch && attempt.StartTimeEpoch <= limits["maxDate"] {
				chosen = append(chosen, raw)
				break
			}
		}
	}
	if limit, err := strconv.Atoi(query.Get("limit")); err == nil {
		chosen = chosen[:min(limit, len(chosen))]
	}
	text, err := json.Marshal(chosen)
	return string(text), err
}

// dates returns the limits of a query for applications in ms since 1970; one that is not given excludes nothing.
func dates(query url.Values) (map[string]int64, error) {
	const forEver = 1 << 62
	limits := map[string]int64{"minDate": 0, "maxDate": forEver, "minEndDate": 0, "maxEndDate": forEver}
	for name := range limits {
		text := query.Get(name)
		if text == "" {
			continue
		}
		format := "2006-01-02T15:04:05.000MST"
		if !strings.Contains(text, "T") {
			format = time.DateOnly
		}
		date, err := time.Parse(format, text)
		if err != nil {
			return nil, err
		}
		limits[name] = date.UnixMilli()
	}
	return limits, nil
}

// chooseBeans chooses by the name of a bean, as Hadoop's JMXJsonServlet does.
func chooseBeans(body string, query url.Values, _ time.Time) (string, error) {
	var all struct {
		Beans []json.RawMessage `json:"beans"`
	}
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		return "", err
	}
	chosen := []json.RawMessage{}
	for _, raw := range all.Beans {
		var bean struct{ Name string }
		if err := json.Unmarshal(raw, &bean); err != nil {
			return "", err
		}
		if matches(query.Get("qry"), bean.Name) {
			chosen = append(chosen, raw)
		}
	}
	text, err := json.Marshal(map[string]any{"beans": chosen})
	return string(text), err
}

// matches says whether a JMX object name is meant by a pattern such as "Hadoop:service=NameNode,*".
func matches(pattern, name string) bool {
	domain, wanted, _ := strings.Cut(pattern, ":")
	nameDomain, properties, _ := strings.Cut(name, ":")
	if !wildcard(domain, nameDomain) {
		return false
	}
	have := propertiesOf(properties)
	want := propertiesOf(wanted)
	_, more := want["*"]
	delete(want, "*")
	if len(have) < len(want) || len(have) > len(want) && !more {
		return false
	}
	for key, wantedValue := range want {
		value, ok := have[key]
		if !ok || !wildcard(wantedValue, value) {
			return false
		}
	}
	return true
}

func propertiesOf(text string) map[string]string {
	properties := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(part, "=")
		properties[key] = value
	}
	return properties
}

// wildcard says whether text is meant by a pattern in which * stands for anything.
func wildcard(pattern, text string) bool {
	first, rest, found := strings.Cut(pattern, "*")
	text, ok := strings.CutPrefix(text, first)
	if !found || !ok {
		return ok && text == ""
	}
	for i := range len(text) + 1 {
		if wildcard(rest, text[i:]) {
			return true
		}
	}
	return false
}
