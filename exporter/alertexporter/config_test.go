package alertexporter

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func load(t *testing.T, yaml string) (*Config, error) {
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	if err := conf.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

// exampleConfig returns the exporter's part of an example, with environment variables filled in.
func exampleConfig(t *testing.T, path string) *Config {
	conf, err := confmaptest.LoadConf(path)
	require.NoError(t, err)
	sub, err := conf.Sub("exporters::alert")
	require.NoError(t, err)
	filled := map[string]any{}
	for key, value := range sub.ToStringMap() {
		filled[key] = fill(value)
	}
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(filled).Unmarshal(cfg))
	return cfg
}

func fill(value any) any {
	switch value := value.(type) {
	case string:
		return strings.NewReplacer("${env:SLACK_URL}", "http://slack/secret", "${env:SMTP_PASSWORD}", "secret").Replace(value)
	case map[string]any:
		for key, inner := range value {
			value[key] = fill(inner)
		}
	}
	return value
}

func TestExamples(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	files, err := filepath.Glob("testdata/examples/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Contains(t, string(readme), string(text), "the README shows it")
			cfg := exampleConfig(t, path)
			require.NoError(t, confmap.Validate(cfg))
			e, err := NewFactory().CreateMetrics(context.Background(), settings(), cfg)
			require.NoError(t, err)
			require.NoError(t, e.Shutdown(context.Background()))
		})
	}
}

func TestReadmeNamesEveryOption(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	conf := confmap.New()
	require.NoError(t, conf.Marshal(createDefaultConfig()))
	for key := range conf.ToStringMap() {
		assert.Contains(t, string(readme), "`"+key, key)
	}
}

func TestDefaults(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	assert.Equal(t, 5*time.Minute, cfg.ResolveTimeout)
	assert.Equal(t, 10_000, cfg.MaxAlerts)
	assert.False(t, cfg.Notify.HasValue())
	assert.False(t, cfg.Alertmanagers.HasValue())
	servers := cfg.Alertmanagers.GetOrInsertDefault()
	assert.Equal(t, 10*time.Second, servers.ClientConfig.Timeout)
	assert.True(t, servers.QueueConfig.HasValue())
	assert.True(t, servers.RetryConfig.Enabled)
}

func TestMistakesAreAllReported(t *testing.T) {
	dir := t.TempDir()
	unknown := filepath.Join(dir, "unknown.yml")
	require.NoError(t, os.WriteFile(unknown, []byte("route: {receiver: a}\nreceivers: [{name: a}]\nnonsense: 1\n"), 0o600))
	broken := filepath.Join(dir, "broken.tmpl")
	require.NoError(t, os.WriteFile(broken, []byte(`{{ define "x" }}{{ .Foo `), 0o600))
	for name, tt := range map[string]struct {
		yaml string
		want []string
	}{
		"nothing": {`{}`, []string{"nobody would be told"}},
		"several": {`{resolve_timeout: 0s, max_alerts: 0, links: {"a b": x, c: "{{"}}`, []string{
			"nobody would be told", "resolve_timeout must be", "max_alerts must be", "a b: a name", "template: c:",
		}},
		"both":           {`{notify: {config: "receivers: [{name: a}]"}, alertmanagers: {endpoints: [http://am:9093]}}`, []string{"exclude each other"}},
		"no text":        {`{notify: {}}`, []string{"notify: give either config_file"}},
		"two texts":      {`{notify: {config: "a: b", config_file: x}}`, []string{"give either config_file"}},
		"no file":        {`{notify: {config_file: /nowhere/alertmanager.yml}}`, []string{"notify: config_file: /nowhere/alertmanager.yml: open"}},
		"unknown key":    {fmt.Sprintf(`{notify: {config_file: %s}}`, unknown), []string{unknown, "line 3", "nonsense"}},
		"no receiver":    {`{notify: {config: "global: {}"}}`, []string{"neither receivers nor a route"}},
		"wrong receiver": {`{notify: {config: "{route: {receiver: b}, receivers: [{name: a}]}"}}`, []string{`undefined receiver "b"`}},
		"no YAML":        {`{notify: {config: "a: ["}}`, []string{"notify: config: yaml"}},
		"template":       {fmt.Sprintf(`{notify: {config: "{receivers: [{name: a}], templates: [%s]}"}}`, broken), []string{"broken.tmpl"}},
		"no endpoint":    {`{alertmanagers: {}}`, []string{"alertmanagers: endpoints must name"}},
		"one endpoint":   {`{alertmanagers: {endpoint: http://am:9093}}`, []string{"write endpoints"}},
		"bad endpoints":  {`{alertmanagers: {endpoints: ["am:9093", "http://ann:s3cr3t@am:9093", "http://a b:s3cr3t@c/%zz"]}}`, []string{"endpoints[0]", "endpoints[1]: credentials", "endpoints[2]"}},
		"unknown option": {`{notfy: {}}`, []string{"notfy"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, tt.yaml)
			require.Error(t, err)
			for _, want := range tt.want {
				assert.ErrorContains(t, err, want)
			}
			assert.NotContains(t, err.Error(), "s3cr3t")
		})
	}
}

func TestAlertmanagersOwnExamples(t *testing.T) {
	cfg, err := load(t, `{notify: {config_file: testdata/examples/alertmanager.yml}}`)
	require.NoError(t, err)
	conf, err := cfg.Notify.Get().load()
	require.NoError(t, err)
	assert.Equal(t, []string{"alertname", "spark_application_id"}, conf.Route.GroupByStr, "what the file says stays")
	assert.Regexp(t, regexp.MustCompile(`testdata/examples/templates/\*\.tmpl$`), conf.Templates[0])
}

func TestShownConfigurationHasNoSecrets(t *testing.T) {
	cfg, err := load(t, `{notify: {config: "{global: {slack_api_url: 'http://slack/s3cr3t'}, receivers: [{name: a}]}"}}`)
	require.NoError(t, err)
	conf := confmap.New()
	require.NoError(t, conf.Marshal(cfg))
	assert.NotContains(t, fmt.Sprint(conf.ToStringMap()), "s3cr3t")
	assert.NotContains(t, fmt.Sprintf("%+v %#v", cfg.Notify.Get(), cfg.Notify.Get()), "s3cr3t")
}

func TestStorageThatIsNone(t *testing.T) {
	for name, extensions := range map[string]map[component.ID]component.Component{
		"there is no extension": nil,
		"is no storage":         {diskID: authenticator{}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := notifyConfig(webhookConfig)
			cfg.Storage = &diskID
			e, err := NewFactory().CreateMetrics(context.Background(), settings(), cfg)
			require.NoError(t, err)
			require.ErrorContains(t, e.Start(context.Background(), host{extensions: extensions}), name)
			require.NoError(t, e.Shutdown(context.Background()))
		})
	}
}

func TestAllIntegrationsOfTheLibrary(t *testing.T) {
	cfg, err := load(t, `
notify:
  config: |
    receivers:
    - name: all
      discord_configs: [{webhook_url: http://x/}]
      email_configs: [{to: a@x, from: b@x, smarthost: "x:25"}]
      incidentio_configs: [{url: http://x/, alert_source_token: t}]
      jira_configs: [{api_url: http://x/, project: p, issue_type: Bug}]
      mattermost_configs: [{webhook_url: http://x/}]
      msteams_configs: [{webhook_url: http://x/}]
      msteamsv2_configs: [{webhook_url: http://x/}]
      opsgenie_configs: [{api_key: k}]
      pagerduty_configs: [{routing_key: k}]
      pushover_configs: [{user_key: u, token: t}]
      rocketchat_configs: [{token: t, token_id: i}]
      slack_configs: [{api_url: http://x/, channel: c}]
      sns_configs: [{topic_arn: "arn:aws:sns:us-east-1:1:x", sigv4: {region: us-east-1}}]
      telegram_configs: [{bot_token: t, chat_id: 1}]
      victorops_configs: [{api_key: k, routing_key: r}]
      webex_configs: [{room_id: r, http_config: {authorization: {credentials: c}}}]
      webhook_configs: [{url: http://x/}]
      wechat_configs: [{api_secret: s, corp_id: c}]
`)
	require.NoError(t, err)
	e, err := NewFactory().CreateMetrics(context.Background(), settings(), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(context.Background(), host{}))
	require.NoError(t, e.Shutdown(context.Background()))
}
