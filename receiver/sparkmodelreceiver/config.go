package sparkmodelreceiver

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/discover"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/mapreduce"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
)

// Config configures the receiver: at least one of its sources.
type Config struct {
	ControllerConfig scraperhelper.ControllerConfig `mapstructure:",squash"`
	// ClusterName is part of every identity, so that all readers of a cluster agree.
	ClusterName string `mapstructure:"cluster_name"`
	// YARN discovers applications and reads running ones through the resource manager's proxy.
	YARN configoptional.Optional[YARNConfig] `mapstructure:"yarn"`
	// Master discovers the applications of a standalone cluster and reads running ones through the Master's proxy, or directly.
	Master configoptional.Optional[MasterConfig] `mapstructure:"master"`
	// Driver reads drivers at known addresses.
	Driver configoptional.Optional[DriverConfig] `mapstructure:"driver"`
	// History reads the last word on applications that have ended.
	History configoptional.Optional[HistoryConfig] `mapstructure:"history"`
	// HDFS reads the NameNodes and DataNodes of a file system.
	HDFS configoptional.Optional[HDFSConfig] `mapstructure:"hdfs"`
	// MapReduce reads MapReduce jobs.
	MapReduce configoptional.Optional[MapReduceConfig] `mapstructure:"mapreduce"`
	// Applications selects which applications are watched.
	Applications ApplicationsConfig `mapstructure:"applications"`
	// Model tells how to find the model of an application whose submission did not name it.
	Model ModelConfig `mapstructure:"model"`
	// Stages bounds which stages get data points of their own.
	Stages StagesConfig `mapstructure:"stages"`
	// DriverMetricsInterval is how often the metrics system of a driver is read though no job has ended there.
	DriverMetricsInterval time.Duration `mapstructure:"driver_metrics_interval"`
	// Traces tells how applications join other traces.
	Traces TracesConfig `mapstructure:"traces"`
	// Storage names the storage extension that keeps over restarts what was delivered. Without one it is in memory.
	Storage *component.ID `mapstructure:"storage"`

	MetricsBuilderConfig metadata.MetricsBuilderConfig `mapstructure:",squash"`
}

// YARNConfig configures the resource managers of one YARN cluster.
type YARNConfig struct {
	// Endpoints are the web addresses of all resource managers of the cluster, whichever is active.
	Endpoints []string `mapstructure:"endpoints"`
	// DirectDrivers are regular expressions of hosts whose drivers are read without the proxy, which does not compress.
	// Their requests carry the same headers and credentials.
	DirectDrivers []string                `mapstructure:"direct_drivers"`
	ClientConfig  confighttp.ClientConfig `mapstructure:",squash"`
}

// MasterConfig configures the Masters of one standalone cluster.
type MasterConfig struct {
	// Endpoints are the web addresses of all Masters of the cluster, whichever is alive.
	Endpoints []string `mapstructure:"endpoints"`
	// DirectDrivers are regular expressions of hosts whose drivers are read without the Master's proxy, which is there with
	// spark.ui.reverseProxy alone. Their requests carry the same headers and credentials.
	DirectDrivers []string                `mapstructure:"direct_drivers"`
	ClientConfig  confighttp.ClientConfig `mapstructure:",squash"`
}

// DriverConfig configures drivers at known addresses.
type DriverConfig struct {
	// Endpoints are the addresses of the drivers' web UIs.
	Endpoints    []string                `mapstructure:"endpoints"`
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
}

// HistoryConfig configures a Spark History Server. Where it is the only source, it finds applications too; the other
// options are for that.
type HistoryConfig struct {
	// Lookback is how long ago an application may have ended that is read at the first poll, and for how long one that has
	// not ended may write nothing.
	Lookback time.Duration `mapstructure:"lookback"`
	// Max is how many applications are listed in one poll, those that ended last first.
	Max int `mapstructure:"max"`
	// Running tells to read applications that have not ended, too.
	Running      bool                    `mapstructure:"running"`
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
}

// HDFSConfig configures the servers of one HDFS file system.
type HDFSConfig struct {
	// NameNodes are the web addresses of all NameNodes of the file system, whichever is active.
	NameNodes []string `mapstructure:"namenodes"`
	// DataNodes are the web addresses of the DataNodes that are read directly. No other is asked, although the NameNode
	// names them all.
	DataNodes    []string                `mapstructure:"datanodes"`
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
}

// MapReduceConfig configures a JobHistory server, whose endpoint may be left out where yarn is configured, and what is
// read of MapReduce jobs.
type MapReduceConfig struct {
	// Counters selects the counters that get data points.
	Counters []mapreduce.Match `mapstructure:"counters"`
	// MaxTasks is how many tasks a job may have for their durations to be read.
	MaxTasks     int                     `mapstructure:"max_tasks"`
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
}

// defaultCounters tell how much a job reads, writes and shuffles, and where its time and its resources go.
var defaultCounters = []mapreduce.Match{
	{Group: "FileSystemCounter", Name: "[A-Z0-9]+_BYTES_(READ|WRITTEN)"},
	{Group: "JobCounter", Name: "(DATA_LOCAL|RACK_LOCAL|OTHER_LOCAL)_MAPS|NUM_(FAILED|KILLED)_(MAPS|REDUCES)|(MB|VCORES)_MILLIS_(MAPS|REDUCES)"},
	{Group: "TaskCounter", Name: "MAP_(INPUT|OUTPUT)_(RECORDS|BYTES)|REDUCE_(INPUT|OUTPUT)_RECORDS|REDUCE_SHUFFLE_BYTES|SPILLED_RECORDS|FAILED_SHUFFLE|GC_TIME_MILLIS|CPU_MILLISECONDS|PHYSICAL_MEMORY_BYTES"},
}

// ApplicationsConfig selects applications.
type ApplicationsConfig struct {
	// Include selects what is watched; empty is everything.
	Include []discover.Match `mapstructure:"include"`
	// Exclude takes applications out again.
	Exclude []discover.Match `mapstructure:"exclude"`
}

// ModelConfig finds models by the application's name.
type ModelConfig struct {
	// NamePattern is matched against the application's name; its groups "name" and "version" count.
	NamePattern string `mapstructure:"name_pattern"`
}

// StagesConfig bounds the cardinality of stages.
type StagesConfig struct {
	// MinDuration is how long a stage must last to get data points of its own.
	MinDuration time.Duration `mapstructure:"min_duration"`
	// Max is how many stages of an application get data points of their own in one poll.
	Max int `mapstructure:"max"`
}

// TracesConfig configures spans.
type TracesConfig struct {
	// Parent is what the span that an application was submitted from is to the application's: one to link to, or its
	// parent, in whose trace all of the application's spans are then.
	Parent string `mapstructure:"parent"`
}

// What the span that an application was submitted from can be to the application's.
const (
	parentLink  = "link"
	parentChild = "child"
)

func createDefaultConfig() component.Config {
	controller := scraperhelper.NewDefaultControllerConfig()
	controller.CollectionInterval = 10 * time.Second
	return &Config{
		ControllerConfig:      controller,
		ClusterName:           "default",
		YARN:                  configoptional.Default(YARNConfig{ClientConfig: clientConfig(liveTimeout)}),
		Master:                configoptional.Default(MasterConfig{ClientConfig: clientConfig(liveTimeout)}),
		Driver:                configoptional.Default(DriverConfig{ClientConfig: clientConfig(liveTimeout)}),
		History:               configoptional.Default(HistoryConfig{Lookback: time.Hour, Max: 500, ClientConfig: clientConfig(historyTimeout)}),
		HDFS:                  configoptional.Default(HDFSConfig{ClientConfig: clientConfig(liveTimeout)}),
		MapReduce:             configoptional.Default(MapReduceConfig{ClientConfig: clientConfig(historyTimeout), Counters: defaultCounters, MaxTasks: 5000}),
		Stages:                StagesConfig{MinDuration: 10 * time.Second, Max: 50},
		DriverMetricsInterval: time.Minute,
		Traces:                TracesConfig{Parent: parentLink},
		MetricsBuilderConfig:  metadata.NewDefaultMetricsBuilderConfig(),
	}
}

const (
	liveTimeout = 10 * time.Second
	// historyTimeout leaves the History Server time to replay an event log, which it does at the first request.
	historyTimeout = 2 * time.Minute
)

func clientConfig(timeout time.Duration) confighttp.ClientConfig {
	c := confighttp.NewDefaultClientConfig()
	c.Timeout = timeout
	return c
}

// Validate checks the configuration and reports everything that is wrong with it.
func (c *Config) Validate() error {
	var errs []error
	if c.ClusterName == "" {
		errs = append(errs, errors.New("cluster_name must not be empty: it is part of every identity"))
	}
	yarn, driver, history, hdfs := c.YARN.Get(), c.Driver.Get(), c.History.Get(), c.HDFS.Get()
	if yarn == nil && !c.Master.HasValue() && driver == nil && history == nil && hdfs == nil && !c.MapReduce.HasValue() {
		errs = append(errs, errors.New("no source is configured: give at least one of yarn, master, driver, history, hdfs, mapreduce"))
	}
	if yarn != nil {
		errs = append(errs, validateEndpoints("yarn", yarn.Endpoints, yarn.ClientConfig.Endpoint))
		if _, err := hostPatterns(yarn.DirectDrivers); err != nil {
			errs = append(errs, fmt.Errorf("yarn::direct_drivers%w", err))
		}
	}
	if master := c.Master.Get(); master != nil {
		errs = append(errs, validateEndpoints("master", master.Endpoints, master.ClientConfig.Endpoint))
		if _, err := hostPatterns(master.DirectDrivers); err != nil {
			errs = append(errs, fmt.Errorf("master::direct_drivers%w", err))
		}
	}
	if driver != nil {
		errs = append(errs, validateEndpoints("driver", driver.Endpoints, driver.ClientConfig.Endpoint))
	}
	if history != nil {
		if _, err := rest.ParseEndpoint(history.ClientConfig.Endpoint); err != nil {
			errs = append(errs, fmt.Errorf("history::endpoint: %w", err))
		}
		if history.Lookback <= 0 {
			errs = append(errs, errors.New("history::lookback must be positive"))
		}
		if history.Max <= 0 {
			errs = append(errs, errors.New("history::max must be positive"))
		}
	}
	if hdfs != nil {
		errs = append(errs, hdfs.validate())
	}
	if jobs := c.MapReduce.Get(); jobs != nil {
		errs = append(errs, jobs.validate(yarn != nil))
	}
	if filter, err := discover.NewFilter(c.Applications.Include, c.Applications.Exclude); err != nil {
		errs = append(errs, fmt.Errorf("applications::%w", err))
	} else if yarn == nil && filter.NeedsYARN() {
		errs = append(errs, errors.New("applications: queue and tag are told by YARN alone: configure yarn, or select by name, id or user"))
	}
	if _, err := regexp.Compile(c.Model.NamePattern); err != nil {
		errs = append(errs, fmt.Errorf("model::name_pattern: %w", err))
	}
	if c.DriverMetricsInterval < 0 {
		errs = append(errs, errors.New("driver_metrics_interval must not be negative"))
	}
	if c.Stages.MinDuration < 0 {
		errs = append(errs, errors.New("stages::min_duration must not be negative"))
	}
	if c.Stages.Max < 0 {
		errs = append(errs, errors.New("stages::max must not be negative"))
	}
	if c.Traces.Parent != parentLink && c.Traces.Parent != parentChild {
		errs = append(errs, fmt.Errorf("traces::parent must be %s or %s, not %q", parentLink, parentChild, c.Traces.Parent))
	}
	return errors.Join(errs...)
}

func (c *HDFSConfig) validate() error {
	var errs []error
	switch {
	case c.ClientConfig.Endpoint != "":
		errs = append(errs, fmt.Errorf("hdfs::endpoint: write namenodes: [%s]", c.ClientConfig.Endpoint))
	case len(c.NameNodes) == 0 && len(c.DataNodes) == 0:
		errs = append(errs, errors.New("hdfs::namenodes must name at least one address; datanodes may name others"))
	}
	return errors.Join(append(errs, parseEndpoints("hdfs::namenodes", c.NameNodes), parseEndpoints("hdfs::datanodes", c.DataNodes))...)
}

func (c *MapReduceConfig) validate(withYARN bool) error {
	var errs []error
	if endpoint := c.ClientConfig.Endpoint; endpoint != "" {
		if _, err := rest.ParseEndpoint(endpoint); err != nil {
			errs = append(errs, fmt.Errorf("mapreduce::endpoint: %w", err))
		}
	} else if !withYARN {
		errs = append(errs, errors.New("mapreduce::endpoint must be the address of a JobHistory server, or add yarn to read the jobs that run"))
	}
	if _, err := mapreduce.Select(c.Counters); err != nil {
		errs = append(errs, fmt.Errorf("mapreduce::counters%w", err))
	}
	if c.MaxTasks < 0 {
		errs = append(errs, errors.New("mapreduce::max_tasks must not be negative"))
	}
	return errors.Join(errs...)
}

// hostPatterns compiles expressions that match whole names of hosts.
func hostPatterns(expressions []string) ([]*regexp.Regexp, error) {
	var list []*regexp.Regexp
	for i, e := range expressions {
		re, err := regexp.Compile("^(?:" + e + ")$")
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		list = append(list, re)
	}
	return list, nil
}

func validateEndpoints(source string, endpoints []string, single string) error {
	var errs []error
	if single != "" {
		errs = append(errs, fmt.Errorf("%s::endpoint: write endpoints: [%s]", source, single))
	} else if len(endpoints) == 0 {
		errs = append(errs, fmt.Errorf("%s::endpoints must name at least one address", source))
	}
	return errors.Join(append(errs, parseEndpoints(source+"::endpoints", endpoints))...)
}

func parseEndpoints(option string, endpoints []string) error {
	var errs []error
	for i, e := range endpoints {
		if _, err := rest.ParseEndpoint(e); err != nil {
			errs = append(errs, fmt.Errorf("%s[%d]: %w", option, i, err))
		}
	}
	return errors.Join(errs...)
}
