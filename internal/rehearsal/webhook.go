package rehearsal

import (
	"encoding/json"
	"net/http"
	"time"

	amwebhook "github.com/prometheus/alertmanager/notify/webhook"
)

// webhook receives notifications, one at a time.
type webhook struct {
	now      func() time.Time
	notified func(at time.Time, message amwebhook.Message)
}

func (h *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var message amwebhook.Message
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&message); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if h.notified != nil {
		h.notified(h.now(), message)
	}
}
