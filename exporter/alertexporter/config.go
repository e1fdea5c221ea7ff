package alertexporter

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	amconfig "github.com/prometheus/alertmanager/config"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/book"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/notify"
)

// Config of the alert exporter. Exactly one of Notify and Alertmanagers is set: an instance has one place where it is
// known who was told what. Two instances do both.
type Config struct {
	// Notify has the exporter tell people by itself.
	Notify configoptional.Optional[NotifyConfig] `mapstructure:"notify"`
	// Alertmanagers has the exporter hand alerts over to servers, which tell people.
	Alertmanagers configoptional.Optional[AlertmanagersConfig] `mapstructure:"alertmanagers"`
	// Links are Go templates of URLs by name, over the labels of an alert and trace_id.
	Links map[string]string `mapstructure:"links"`
	// ResolveTimeout ends an alert of which nothing was heard for so long.
	ResolveTimeout time.Duration `mapstructure:"resolve_timeout"`
	// MaxAlerts is how many alerts can fire at a time; further ones are dropped and counted.
	MaxAlerts int `mapstructure:"max_alerts"`
	// Storage names the storage extension that keeps the state over restarts. Without one it is in memory.
	Storage *component.ID `mapstructure:"storage"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// NotifyConfig holds a configuration of Alertmanager.
type NotifyConfig struct {
	// ConfigFile is the path of Alertmanager's configuration file.
	ConfigFile string `mapstructure:"config_file"`
	// Config is the text of such a file, instead of ConfigFile. It is opaque because it may hold secrets.
	Config configopaque.String `mapstructure:"config"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// AlertmanagersConfig configures the Alertmanager servers. All of them get all alerts.
type AlertmanagersConfig struct {
	// Endpoints are the addresses of the servers, with the path prefix if there is one.
	Endpoints    []string                `mapstructure:"endpoints"`
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// QueueConfig is the queue of flags that wait to be handed over.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	// RetryConfig tells how to try again while no server accepts alerts.
	RetryConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// prevent unkeyed literal initialization
	_ struct{}
}

func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = 10 * time.Second
	return &Config{
		Notify: configoptional.Default(NotifyConfig{}),
		Alertmanagers: configoptional.Default(AlertmanagersConfig{
			ClientConfig: client,
			QueueConfig:  configoptional.Some(exporterhelper.NewDefaultQueueConfig()),
			RetryConfig:  configretry.NewDefaultBackOffConfig(),
		}),
		ResolveTimeout: 5 * time.Minute,
		MaxAlerts:      10_000,
	}
}

// Validate checks the configuration, together with the files that it names, and reports everything that is wrong.
func (c *Config) Validate() error {
	var errs []error
	switch {
	case !c.Notify.HasValue() && !c.Alertmanagers.HasValue():
		errs = append(errs, errors.New("nobody would be told: give either notify or alertmanagers"))
	case c.Notify.HasValue() && c.Alertmanagers.HasValue():
		errs = append(errs, errors.New("notify and alertmanagers exclude each other: to do both, use two exporters, such as alert/notify and alert/alertmanagers"))
	}
	if c.ResolveTimeout < time.Second {
		errs = append(errs, errors.New("resolve_timeout must be at least 1s; it has to span several polls (default 5m)"))
	}
	if c.MaxAlerts < 1 {
		errs = append(errs, errors.New("max_alerts must be at least 1 (default 10000)"))
	}
	if _, err := book.NewLinks(c.Links); err != nil {
		errs = append(errs, fmt.Errorf("links: %w", err))
	}
	return errors.Join(errs...)
}

// Validate loads the configuration of Alertmanager and its templates.
func (c *NotifyConfig) Validate() error {
	_, err := c.load()
	return err
}

func (c *NotifyConfig) load() (*amconfig.Config, error) {
	switch {
	case (c.ConfigFile == "") == (c.Config == ""):
		return nil, errors.New("give either config_file, the path of an Alertmanager configuration, or config, its text")
	case c.ConfigFile != "":
		conf, err := notify.LoadFile(c.ConfigFile)
		if err != nil {
			return nil, fmt.Errorf("config_file: %w", err)
		}
		return conf, nil
	}
	conf, err := notify.Load(string(c.Config))
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return conf, nil
}

// Validate checks the addresses.
func (c *AlertmanagersConfig) Validate() error {
	var errs []error
	if c.ClientConfig.Endpoint != "" {
		errs = append(errs, errors.New("endpoint: write endpoints, a list of addresses"))
	} else if len(c.Endpoints) == 0 {
		errs = append(errs, errors.New("endpoints must name at least one address"))
	}
	for i, endpoint := range c.Endpoints {
		u, err := url.Parse(endpoint)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("endpoints[%d]: it is no URL", i)) // the error of Parse would show a password
		case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
			errs = append(errs, fmt.Errorf("endpoints[%d]: %q must be of the form http://host:port", i, u.Redacted()))
		case u.User != nil:
			errs = append(errs, fmt.Errorf("endpoints[%d]: credentials belong into auth, and not into an address", i))
		}
	}
	return errors.Join(errs...)
}
