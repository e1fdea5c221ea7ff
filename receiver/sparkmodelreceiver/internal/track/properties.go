package track

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Model is what an application trains or scores.
type Model struct{ Name, Version string }

// Properties that name a model, set at submission.
const (
	modelNameProperty    = "spark.sparkmodel.name"
	modelVersionProperty = "spark.sparkmodel.version"
)

// uiAddressProperty is set by Spark on YARN in client mode.
const uiAddressProperty = "spark.driver.appUIAddress"

// ModelNamer finds out which model an application is of.
type ModelNamer struct {
	// Pattern is matched against the application's name; its groups "name" and "version" count. It may be nil.
	Pattern *regexp.Regexp
}

// Model returns the model that the Spark properties name, else the one of YARN's application tags (model:churn,
// version:3), else the one that the pattern finds in the application's name, else the application's name.
func (n ModelNamer) Model(applicationName, tags string, properties map[string]string) Model {
	m := Model{Name: properties[modelNameProperty], Version: properties[modelVersionProperty]}
	for tag := range strings.SplitSeq(tags, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(tag), ":")
		switch {
		case key == "model" && m.Name == "":
			m.Name = value
		case key == "version" && m.Version == "":
			m.Version = value
		}
	}
	if n.Pattern != nil && m.Name == "" {
		if match := n.Pattern.FindStringSubmatch(applicationName); match != nil {
			if i := n.Pattern.SubexpIndex("name"); i > 0 {
				m.Name = match[i]
			}
			if i := n.Pattern.SubexpIndex("version"); i > 0 && m.Version == "" {
				m.Version = match[i]
			}
		}
	}
	if m.Name == "" {
		m.Name = applicationName
	}
	return m
}

// setting is a Spark property that leaves the receiver, as a number.
type setting struct {
	name string
	// fallback is Spark's default; a property without one is left out where it is not set.
	fallback string
	parse    func(string) (float64, bool)
}

// settings are the properties that tell how to tune an application. No other property's value is ever exported: they
// can hold secrets. Defaults are those of Spark's configuration page, 3.5 and 4.x.
var settings = []setting{
	{"spark.default.parallelism", "", number},
	{"spark.driver.cores", "1", number},
	{"spark.driver.memory", "1g", mebibytes},
	{"spark.dynamicAllocation.enabled", "false", boolean},
	{"spark.dynamicAllocation.maxExecutors", "", number},
	{"spark.executor.cores", "1", number},
	{"spark.executor.instances", "2", number},
	{"spark.executor.memory", "1g", mebibytes},
	{"spark.executor.memoryOverhead", "", mebibytes},
	{"spark.locality.wait", "3s", seconds},
	{"spark.memory.fraction", "0.6", number},
	{"spark.memory.storageFraction", "0.5", number},
	{"spark.speculation", "false", boolean},
	{"spark.sql.adaptive.advisoryPartitionSizeInBytes", "64m", bytesize},
	{"spark.sql.adaptive.enabled", "true", boolean},
	{"spark.sql.adaptive.skewJoin.enabled", "true", boolean},
	{"spark.sql.autoBroadcastJoinThreshold", "10m", bytesize},
	{"spark.sql.files.maxPartitionBytes", "128m", bytesize},
	{"spark.sql.shuffle.partitions", "200", number},
	{"spark.task.cpus", "1", number},
	{"spark.task.maxFailures", "4", number},
}

// ParseSettings returns the numeric settings of an application by name: sizes in bytes, times in seconds, switches
// as 0 or 1. A value that can't be read is left out.
func ParseSettings(properties map[string]string) map[string]float64 {
	out := make(map[string]float64, len(settings))
	for _, s := range settings {
		text, ok := properties[s.name]
		if !ok {
			text = s.fallback
		}
		if v, ok := s.parse(strings.ToLower(strings.TrimSpace(text))); ok {
			out[s.name] = v
		}
	}
	return out
}

func number(text string) (float64, bool) {
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil
}

func boolean(text string) (float64, bool) {
	switch text {
	case "true":
		return 1, true
	case "false":
		return 0, true
	}
	return 0, false
}

// bytesize reads sizes such as "64m" or "1073741824b", in bytes.
func bytesize(text string) (float64, bool) { return size(text, 1) }

// mebibytes reads sizes whose unit is MiB where none is given.
func mebibytes(text string) (float64, bool) { return size(text, 1<<20) }

func size(text string, unit float64) (float64, bool) {
	digits := strings.TrimRight(text, "bkmgtpi")
	switch strings.TrimSuffix(strings.TrimSuffix(text[len(digits):], "b"), "i") {
	case "":
		if len(text) > len(digits) {
			unit = 1
		}
	case "k":
		unit = 1 << 10
	case "m":
		unit = 1 << 20
	case "g":
		unit = 1 << 30
	case "t":
		unit = 1 << 40
	case "p":
		unit = 1 << 50
	default:
		return 0, false
	}
	v, ok := number(digits)
	return v * unit, ok
}

// seconds reads times such as "3s", "500ms" or "2min".
func seconds(text string) (float64, bool) {
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
	v, ok := number(digits)
	var unit time.Duration
	switch text[len(digits):] {
	case "us":
		unit = time.Microsecond
	case "ms", "":
		unit = time.Millisecond
	case "s":
		unit = time.Second
	case "m", "min":
		unit = time.Minute
	case "h":
		unit = time.Hour
	case "d":
		unit = 24 * time.Hour
	default:
		return 0, false
	}
	return v * unit.Seconds(), ok
}
