package notify

import (
	_ "embed"
	tmplhtml "html/template"
	"net/url"
	"strings"
	tmpltext "text/template"

	"github.com/prometheus/alertmanager/template"
)

//go:embed default.tmpl
var defaultTemplate string

var mrkdwnEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// functions are ours, beside those of Alertmanager.
var functions = map[string]any{
	// mrkdwn keeps names that somebody chose from being markup in Slack, where <!channel> calls everybody.
	"mrkdwn": mrkdwnEscapes.Replace,
	// worst returns the first alerts; all of them come in the order of their impact.
	"worst": func(n int, alerts []template.Alert) []template.Alert { return alerts[:min(n, len(alerts))] },
	// beyond returns how many more there are.
	"beyond": func(n int, alerts []template.Alert) int { return max(0, len(alerts)-n) },
}

// newTemplate returns Alertmanager's templates, changed by ours, changed by the user's.
func newTemplate(paths []string) (*template.Template, error) {
	t, err := template.FromGlobs(nil, func(text *tmpltext.Template, html *tmplhtml.Template) {
		text.Funcs(functions)
		html.Funcs(functions)
	})
	if err != nil {
		return nil, err
	}
	if err = t.Parse(strings.NewReader(defaultTemplate)); err != nil {
		return nil, err
	}
	for _, path := range paths {
		if err = t.FromGlob(path); err != nil {
			return nil, err
		}
	}
	t.ExternalURL = &url.URL{} // a collector has no page to link to
	return t, nil
}
