package emit

import (
	"reflect"
	"strings"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
)

// AnyEnabled tells whether a metric is enabled whose name begins with one of the prefixes.
func AnyEnabled(config metadata.MetricsConfig, prefixes ...string) bool {
	v := reflect.ValueOf(config)
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("mapstructure")
		for _, prefix := range prefixes {
			if strings.HasPrefix(name, prefix) && v.Field(i).FieldByName("Enabled").Bool() {
				return true
			}
		}
	}
	return false
}
