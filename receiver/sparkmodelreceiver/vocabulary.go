package sparkmodelreceiver

import _ "embed"

//go:embed metadata.yaml
var vocabulary []byte

// Vocabulary returns the receiver's metadata.yaml: the metrics and attributes that it tells, for those who check names
// against it.
func Vocabulary() []byte { return vocabulary }
