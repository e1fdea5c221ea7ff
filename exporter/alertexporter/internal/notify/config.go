package notify

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/prometheus/alertmanager/config"
	amcommoncfg "github.com/prometheus/alertmanager/config/common"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v2"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/book"
)

// GroupBy is how alerts are grouped by a root route that does not say it: by application run, or by YARN cluster.
var GroupBy = []model.LabelName{
	"spark_cluster_name", "spark_application_id", "spark_application_attempt_id", "yarn_cluster_name",
}

// inhibition is how consequences are inhibited by a configuration that has no inhibit_rules: by their cause in the same
// application run or YARN cluster.
func inhibition() []amcommoncfg.InhibitRule {
	consequence := func(t labels.MatchType) amcommoncfg.Matchers {
		return amcommoncfg.Matchers{{Type: t, Name: string(book.ConsequenceLabel), Value: "true"}}
	}
	equal := []string{string(book.CauseLabel)}
	for _, name := range GroupBy {
		equal = append(equal, string(name))
	}
	return []amcommoncfg.InhibitRule{{
		SourceMatchers: consequence(labels.MatchNotEqual),
		TargetMatchers: consequence(labels.MatchEqual),
		Equal:          equal,
	}}
}

// initMatchers has the library read matchers as Alertmanager itself does by default. Until then it reads them as
// Alertmanager 0.26 did.
var initMatchers = sync.OnceFunc(func() {
	compat.InitFromFlags(slog.New(slog.DiscardHandler), featurecontrol.NoopFlags{})
})

// LoadFile reads a configuration file of Alertmanager. Relative paths in it are relative to its folder.
func LoadFile(path string) (*config.Config, error) {
	initMatchers()
	conf, err := config.LoadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return checked(conf)
}

// Load reads a configuration of Alertmanager. One without a route gets one that sends everything to the first receiver.
func Load(text string) (*config.Config, error) {
	initMatchers()
	text, err := withRoute(text)
	if err != nil {
		return nil, err
	}
	conf, err := config.Load(text)
	if err != nil {
		return nil, err
	}
	return checked(conf)
}

func withRoute(text string) (string, error) {
	var keys yaml.MapSlice
	if err := yaml.Unmarshal([]byte(text), &keys); err != nil {
		return "", err
	}
	for _, item := range keys {
		if item.Key == "route" {
			return text, nil
		}
	}
	var named struct {
		Receivers []struct {
			Name string `yaml:"name"`
		} `yaml:"receivers"`
	}
	if err := yaml.Unmarshal([]byte(text), &named); err != nil {
		return "", err
	}
	if len(named.Receivers) == 0 {
		return "", errors.New("there are neither receivers nor a route")
	}
	keys = append(keys, yaml.MapItem{Key: "route", Value: yaml.MapSlice{{Key: "receiver", Value: named.Receivers[0].Name}}})
	with, err := yaml.Marshal(keys)
	return string(with), err
}

// checked sets our defaults and makes sure that the templates can be parsed.
func checked(conf *config.Config) (*config.Config, error) {
	if conf.Route.GroupByStr == nil {
		conf.Route.GroupBy = GroupBy
	}
	if conf.InhibitRules == nil {
		conf.InhibitRules = inhibition()
	}
	_, err := newTemplate(conf.Templates)
	return conf, err
}

// ignored names what of Alertmanager's configuration has no meaning inside a collector.
func ignored(conf *config.Config) []string {
	var names []string
	if conf.Global.ResolveTimeout != config.DefaultGlobalConfig().ResolveTimeout {
		names = append(names, "global.resolve_timeout")
	}
	if conf.TracingConfig.Endpoint != "" {
		names = append(names, "tracing")
	}
	recorder := conf.EventRecorder
	if cmp.Or(len(recorder.FileOutputs), len(recorder.WebhookOutputs), len(recorder.KafkaOutputs)) > 0 {
		names = append(names, "event_recorder")
	}
	return names
}
