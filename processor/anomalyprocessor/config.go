package anomalyprocessor

import (
	"errors"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/catalog"
)

// Config of the anomaly processor. The zero value of each part has a working default.
type Config struct {
	// Rules selects what is judged, and by which numbers.
	Rules catalog.Selection `mapstructure:"rules"`
	// Flags bounds the life of flags and the state behind them.
	Flags FlagsConfig `mapstructure:"flags"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// FlagsConfig bounds the life of flags and the state behind them.
type FlagsConfig struct {
	// StaleAfter ends the flags of an entity of whose resource nothing at all was heard for so long.
	StaleAfter time.Duration `mapstructure:"stale_after"`
	// MaxEntities is how many entities (applications, stages, queues …) are kept; the least recently seen are dropped.
	MaxEntities int `mapstructure:"max_entities"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Validate loads and compiles all rules, so that a mistake in one is reported at start, with file and line.
func (c *Config) Validate() error {
	var errs error
	if c.Flags.StaleAfter < time.Second {
		errs = errors.Join(errs, errors.New("flags.stale_after must be at least 1s; it has to span several polls (default 5m)"))
	}
	if c.Flags.MaxEntities < 1 {
		errs = errors.Join(errs, errors.New("flags.max_entities must be at least 1; a flagged application needs one per stage, executor and queue that is judged (default 50000)"))
	}
	_, err := c.Rules.Load()
	return errors.Join(errs, err)
}

func createDefaultConfig() component.Config {
	return &Config{Flags: FlagsConfig{StaleAfter: 5 * time.Minute, MaxEntities: 50_000}}
}
