package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
)

// Float is a number that a server may also write as a string, "NaN" among them.
type Float float64

// UnmarshalJSON accepts a number, a number in a string, and null (NaN).
func (f *Float) UnmarshalJSON(b []byte) error {
	b = bytes.Trim(b, `"`)
	if string(b) == "null" || len(b) == 0 {
		*f = Float(math.NaN())
		return nil
	}
	v, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return &json.UnmarshalTypeError{Value: fmt.Sprintf("string %.40q", b), Type: floatType}
	}
	*f = Float(v)
	return nil
}

// Known tells whether the server knew the number.
func (f Float) Known() bool { return !math.IsNaN(float64(f)) && !math.IsInf(float64(f), 0) }

var floatType = reflect.TypeFor[float64]()
